// The layers of DESIGN.md section 2, as data. tests/layers.test.ts shows on a small tree that every rule fires.
// `npm run layers`; climbs by `import type` count too (tsPreCompilationDeps).

/** What each part of src/ may import of ours, besides itself. A part that is not listed here is an error. */
const kernelToSession = ["kernel", "observe", "shell", "session"];
const kernelToLab = [...kernelToSession, "conform", "lab"];
const models = ["observe/picture/model", "session/model", "conform/model", "lab/model"];
const mayImport = {
  kernel: [],
  observe: ["kernel"],
  shell: ["kernel", "observe"],
  session: ["kernel", "observe", "shell"],
  conform: kernelToSession,
  lab: kernelToSession,
  // the contract is plain data: the renderer, which bundles it, must not get the simulator with it (the models hold types only)
  "host/api": ["kernel/message", "shell/line", ...models],
  "host/engine": [...kernelToLab, "host/api"],
  storage: ["host/api"],
  "host/service": [...kernelToLab, "host/api", "host/engine", "storage", "i18n"],
  preload: ["host/api"],
  main: ["host/api", "host/service", "i18n"],
  web: ["host/api", "host/service", "i18n"],
  renderer: ["host/api", "shell/line", "i18n", ...models],
  // web is a peer, but `hugelab serve` has to start it
  cli: [...kernelToLab, "host/api", "host/engine", "host/service", "web", "i18n"],
  // a catalogue may be kept beside the layer whose sentences it has; i18n puts them together
  i18n: ["kernel/message", "[a-z]+/messages"],
};

const pure = "^src/(kernel|observe|shell|session|conform|lab|host/engine)/";
const test = "\\.test\\.ts$";
/** Parts that start quickly or are the same everywhere load the heavy ones only when they are asked for. */
const onlyWhenAsked = "^src/(host/service|web)(/|\\.)";

/** @param {string} part */
const inside = (part) => `^src/${part}(/|\\.)`;

/** @type {import("dependency-cruiser").IForbiddenRuleType[]} */
const layers = Object.entries(mayImport).map(([part, below]) => ({
  name: `layer-${part.replace("/", "-")}`,
  comment: `src/${part} may import ${below.length === 0 ? "nothing else of ours" : below.join(", ")} (DESIGN.md section 2)`,
  severity: "error",
  from: { path: inside(part) },
  to: { path: "^src/", pathNot: [part, ...below].map(inside) },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
const configuration = {
  forbidden: [
    ...layers,
    {
      name: "no-such-layer",
      comment: "every file of src/ belongs to a layer of DESIGN.md section 2",
      severity: "error",
      from: { path: "^src/", pathNot: Object.keys(mayImport).map(inside) },
      to: {},
    },
    {
      name: "pure-no-core",
      comment: "nothing from kernel to lab and in host/engine uses Node (tests may: they read files)",
      severity: "error",
      from: { path: pure, pathNot: test },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "pure-no-packages",
      comment: "the simulator has no dependency; lab/ checks packs with zod, the line editor measures text with string-width",
      severity: "error",
      from: { path: pure, pathNot: [test, "^src/lab/", inside("shell/line")] },
      to: { path: "^(node_modules/|electron$)", dependencyTypesNot: ["core", "local"] },
    },
    {
      name: "lab-packages",
      comment: "lab/ checks packs with zod and reads their texts with yaml and markdown-it; it needs nothing else",
      severity: "error",
      from: { path: "^src/lab/", pathNot: test },
      to: { path: "^(node_modules/|electron$)", pathNot: "^node_modules/(zod|yaml|markdown-it)/", dependencyTypesNot: ["core", "local"] },
    },
    {
      name: "line-alone",
      comment: "the renderer bundles shell/line: it imports nothing but itself and string-width",
      severity: "error",
      from: { path: inside("shell/line"), pathNot: test },
      to: { pathNot: [inside("shell/line"), "^node_modules/string-width/"], dependencyTypesNot: ["core"] },
    },
    {
      name: "cli-loads-hosts-late",
      comment: "`hugelab run` must not load storage: cli/ imports host/service and web by import() only",
      severity: "error",
      from: { path: inside("cli") },
      to: { path: onlyWhenAsked, dependencyTypesNot: ["dynamic-import"] },
    },
    {
      name: "no-test-imports",
      comment: "a test file is imported by nobody",
      severity: "error",
      from: { path: "^src/" },
      to: { path: test },
    },
    {
      name: "no-circular",
      comment: "no circle of imports that exists at run time (an `import type` is erased)",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js", ".svelte"],
      conditionNames: ["import", "node", "default", "types"],
      exportsFields: ["exports"],
    },
  },
};

export default configuration;
