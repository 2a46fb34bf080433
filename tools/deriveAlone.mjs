// Derives src/kernel/alone.ts: the hot generators of the kernel as plain functions, for when nothing else is runnable. A generator costs more to
// make and to end than the whole of a page fault, and while `k.preempt` is false none of these yields. The rules stay written once, in the generators.
//   node tools/node24.mjs tools/deriveAlone.mjs          writes the file
//   node tools/node24.mjs tools/deriveAlone.mjs --check  exits with 1 when the file is not what would be written (tests/alone.test.ts does the same)
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import prettier from "prettier";
import ts from "typescript";

const kernel = fileURLToPath(new URL("../src/kernel", import.meta.url));
export const TARGET = join(kernel, "alone.ts");

/** Generators to derive from, callers behind what they call. Each may reach only these by `yield*`. */
const SOURCES = [
  { file: "thp/hugeFault.ts", names: ["hugePmdAnonymousPage"] },
  { file: "mm/fault.ts", names: ["doAnonymousPage", "handlePteFault", "handleMmFault", "faultAndAccount"] },
  { file: "mm/access.ts", names: ["pageFault", "accessByFault", "userAccess"] },
  { file: "touch.ts", names: ["execute", "touchRange"] },
];
const derived = new Set(SOURCES.flatMap((s) => s.names));
const aloneName = (/** @type {string} */ name) => `${name}Alone`;

/** A statement that is left out: `if (k.preempt) ...`, and `if (!k.preempt) return xAlone(...)`, the way in. @param {ts.Node} node @param {ts.SourceFile} source */
function isLeftOut(node, source) {
  if (!ts.isIfStatement(node) || node.elseStatement !== undefined) return false;
  const condition = node.expression.getText(source);
  return condition === "k.preempt" || (condition === "!k.preempt" && /^return \w+Alone\(/.test(node.thenStatement.getText(source)));
}

/** Text of a function without its generators. @param {ts.FunctionDeclaration} fn @param {ts.SourceFile} source @returns {{ text: string, used: Set<string> }} */
function deriveFunction(fn, source) {
  /** @type {{ from: number, to: number, text: string }[]} */
  const edits = [];
  /** @type {Set<string>} */
  const used = new Set();
  const name = fn.name?.text ?? "";
  const where = (/** @type {ts.Node} */ node) => `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}`;

  /** @param {ts.Node} node */
  const visit = (node) => {
    if (isLeftOut(node, source)) {
      edits.push({ from: node.getFullStart(), to: node.getEnd(), text: "" });
      return;
    }
    if (ts.isYieldExpression(node)) {
      const call = node.expression;
      if (node.asteriskToken === undefined) throw new Error(`${where(node)}: a point that does not stand behind if (k.preempt)`);
      if (call === undefined || !ts.isCallExpression(call) || !ts.isIdentifier(call.expression) || !derived.has(call.expression.text))
        throw new Error(`${where(node)}: yield* of something that is not derived`);
      edits.push({ from: node.getStart(source), to: call.expression.getEnd(), text: aloneName(call.expression.text) });
      call.arguments.forEach(visit);
      return;
    }
    if (ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node)) used.add(node.text);
    ts.forEachChild(node, visit);
  };

  const result = fn.type;
  if (fn.asteriskToken === undefined || fn.body === undefined || fn.name === undefined) throw new Error(`${source.fileName}: ${name} is no generator`);
  if (result === undefined || !ts.isTypeReferenceNode(result) || result.typeName.getText(source) !== "Op" || result.typeArguments?.length !== 1)
    throw new Error(`${source.fileName}: ${name} does not return an Op`);
  edits.push({ from: fn.asteriskToken.getStart(source), to: fn.asteriskToken.getEnd(), text: "" });
  edits.push({ from: fn.name.getStart(source), to: fn.name.getEnd(), text: aloneName(name) });
  edits.push({ from: result.getStart(source), to: result.getEnd(), text: result.typeArguments[0].getText(source) });
  fn.parameters.forEach(visit);
  visit(result.typeArguments[0]);
  visit(fn.body);

  const start = fn.getStart(source);
  let text = source.text.slice(start, fn.getEnd());
  for (const { from, to, text: put } of edits.sort((a, b) => b.from - a.from)) text = text.slice(0, from - start) + put + text.slice(to - start);
  return { text, used };
}

/** Where each top-level name of a file comes from. @param {ts.SourceFile} source @param {string} path */
function namesOf(source, path) {
  /** @type {Map<string, { module: string, type: boolean }>} */
  const names = new Map();
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier)) {
      const clause = statement.importClause;
      const module = join(dirname(path), statement.moduleSpecifier.text);
      if (clause?.namedBindings !== undefined && ts.isNamedImports(clause.namedBindings)) {
        for (const element of clause.namedBindings.elements)
          names.set(element.name.text, { module, type: clause.phaseModifier === ts.SyntaxKind.TypeKeyword || element.isTypeOnly });
      }
      continue;
    }
    const exported = ts.canHaveModifiers(statement) && (ts.getModifiers(statement) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
    const type = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
    const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
    for (const d of declared) {
      const name =
        "name" in d && d.name !== undefined && ts.isIdentifier(/** @type {ts.Node} */ (d.name)) ? /** @type {ts.Identifier} */ (d.name).text : undefined;
      if (name !== undefined) names.set(name, { module: exported ? path : `${path} does not export it`, type });
    }
  }
  return names;
}

/** The text that alone.ts has to have. @returns {Promise<string>} */
export async function deriveAlone() {
  /** @type {Map<string, Map<string, boolean>>} */
  const imports = new Map();
  /** @type {string[]} */
  const functions = [];
  for (const { file, names } of SOURCES) {
    const path = join(kernel, file);
    const source = ts.createSourceFile(file, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    const known = namesOf(source, path);
    for (const name of names) {
      const fn = source.statements.find((s) => ts.isFunctionDeclaration(s) && s.name?.text === name);
      if (fn === undefined || !ts.isFunctionDeclaration(fn)) throw new Error(`${file}: no function ${name}`);
      const { text, used } = deriveFunction(fn, source);
      functions.push(`/** ${name} of ${file}. */\n${text}`);
      for (const id of used) {
        const from = known.get(id);
        if (from === undefined) continue;
        if (!from.module.endsWith(".ts")) throw new Error(`${name} needs ${id}: ${relative(kernel, from.module)}`);
        const list = imports.get(from.module) ?? new Map();
        list.set(id, from.type && (list.get(id) ?? true));
        imports.set(from.module, list);
      }
    }
  }
  const lines = [...imports].sort().map(([module, ids]) => {
    const allTypes = [...ids.values()].every(Boolean);
    const list = [...ids].sort().map(([id, type]) => (type && !allTypes ? `type ${id}` : id));
    return `import ${allTypes ? "type " : ""}{ ${list.join(", ")} } from "./${relative(kernel, module)}";`;
  });
  const head =
    "/*\n * Derived by tools/deriveAlone.mjs from the generators that it names; changed only by changing those and running it again. Plain\n" +
    " * functions for when no other thread is runnable: the same rules without their preemption points.\n */";
  const text = `${head}\n${lines.join("\n")}\n\n${functions.join("\n\n")}\n`;
  return prettier.format(text, { ...(await prettier.resolveConfig(TARGET)), parser: "typescript" });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await deriveAlone();
  if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
  else if (readFileSync(TARGET, "utf8") !== text) {
    process.stderr.write("src/kernel/alone.ts is out of date: node tools/node24.mjs tools/deriveAlone.mjs\n");
    process.exitCode = 1;
  }
}
