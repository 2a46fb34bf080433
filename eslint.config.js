import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import { defineConfig, globalIgnores } from "eslint/config";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

// `no-restricted-syntax` of a later block replaces that of an earlier one, so each block lists all that applies to its files.

const everywhere = [{ selector: "TSEnumDeclaration", message: "Node runs the sources by stripping types: an enum has to be a const object or a union." }];

/** DESIGN.md section 3: state below session/ is columns and records of the store, nothing else. */
const noOtherState = [
  {
    selector: ":matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration[kind='let']",
    message: "Mutable state outside the store: undo would not see it. Put it into the machine's columns or records.",
  },
  {
    selector:
      ":matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator[init.type='NewExpression'][init.callee.name=/^(Map|Set|WeakMap|WeakSet)$/]:not([id.typeAnnotation.typeAnnotation.typeName.name=/^Readonly(Map|Set)$/])",
    message: "A constant table is declared ReadonlyMap or ReadonlySet; anything else at this level is state outside the store.",
  },
  {
    selector:
      ":matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator[init.type='ArrayExpression'][init.elements.length=0]:not([id.typeAnnotation.typeAnnotation.operator='readonly']):not([id.typeAnnotation.typeAnnotation.typeName.name='ReadonlyArray'])",
    message: "An empty array at this level is there to be filled: state outside the store. Declare it readonly if it is a constant.",
  },
  { selector: "PropertyDefinition[static=true]:not([readonly=true])", message: "A static field is state outside the store; make it readonly." },
];

/** DESIGN.md section 3: a release is a list of toggles, resolved at boot; no function compares versions. */
const noReleaseComparison = [
  {
    selector: "BinaryExpression[operator=/^(===?|!==?|<=?|>=?)$/] > Literal[value=/^(linux-|upstream-|debian-|vm-|v)?[0-9]+[.][0-9]+([.][0-9]+)?$/]",
    message: "Compare no releases: ask the era for the toggle that changed the behaviour.",
  },
  {
    selector: "SwitchCase > Literal[value=/^(linux-|upstream-|debian-|vm-|v)?[0-9]+[.][0-9]+([.][0-9]+)?$/]",
    message: "Compare no releases: ask the era for the toggle that changed the behaviour.",
  },
  {
    selector: "BinaryExpression[operator=/^(===?|!==?|<=?|>=?)$/] > MemberExpression[property.name=/^(release|kernelRelease|releaseName|kernelVersion)$/]",
    message: "Compare no releases: ask the era for the toggle that changed the behaviour.",
  },
];

export default defineConfig(
  globalIgnores(["out/", "dist/", "coverage/", "node_modules/"]),
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  ...svelte.configs.recommended,
  prettier,
  ...svelte.configs.prettier,
  {
    languageOptions: { parserOptions: { projectService: true, extraFileExtensions: [".svelte"], tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-restricted-syntax": ["error", ...everywhere],
      "max-lines": ["warn", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["warn", { max: 90, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // a generator of the kernel that reaches no preemption point is still a generator for its callers
      "require-yield": "off",
    },
  },
  {
    // above the kernel nothing else may keep state either; session/ and what stands on it holds the learner's world
    files: ["src/kernel/**/*.ts", "src/observe/**/*.ts", "src/shell/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...everywhere, ...noOtherState, ...noReleaseComparison] },
  },
  {
    files: ["src/session/**/*.ts", "src/conform/**/*.ts", "src/lab/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...everywhere, ...noReleaseComparison] },
  },
  {
    // the one place that knows releases by name
    files: ["src/kernel/era/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...everywhere, ...noOtherState] },
  },
  {
    files: ["src/renderer/**"],
    languageOptions: { globals: globals.browser },
    rules: {
      "no-restricted-globals": [
        "error",
        ...["process", "Buffer", "global", "require", "setImmediate"].map((name) => ({ name, message: "The renderer runs in a page." })),
      ],
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      // an {@html} would take what a pack says as elements of the page
      "svelte/no-at-html-tags": "error",
      // the compiler's own warnings are errors in `npm run types`
      "svelte/valid-compile": "off",
      // props are declared with let
      "prefer-const": "off",
      // maps that are no state of a view stay plain; what a view follows is $state.raw
      "svelte/prefer-svelte-reactivity": "off",
      "svelte/prefer-const": ["error", { excludedRunes: ["$props", "$state", "$derived"] }],
    },
  },
  {
    files: ["**/*.test.ts", "tests/**", "bench/**"],
    rules: {
      "no-restricted-syntax": ["error", ...everywhere],
      "max-lines": "off",
      "max-lines-per-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    extends: [ts.configs.disableTypeChecked],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", URL: "readonly", performance: "readonly", setTimeout: "readonly", clearTimeout: "readonly" },
    },
  },
);
