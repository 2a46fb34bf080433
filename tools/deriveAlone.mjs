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

/**
 * What is derived, callers behind what they call. `names`: generators; each may reach only these by `yield*`. `plain`: functions that are copied as they are:
 * within one module the engine knows the functions and constants it compiles for, while it looks up and checks an imported one at every use.
 * What a file does not export goes with what uses it.
 * @type {{ file: string, names?: string[], plain?: string[] }[]}
 */
const SOURCES = [
  { file: "arch/geometry.ts", plain: ["isWritable", "makeWritable", "makeReadOnly"] },
  { file: "mm/kernel.ts", plain: ["pageRowAt", "entryRowAt", "pageChunkEnd"] },
  { file: "mm/content.ts", plain: ["stampAfterWrite"] },
  { file: "mm/tlb.ts", plain: ["tlbEntry", "tagOf", "tlbSwitch", "tlbFill"] },
  { file: "mm/pageAlloc.ts", plain: ["listAt", "freePagesAt", "allocPages"] },
  {
    file: "mm/pgtable.ts",
    plain: [
      "indexAt",
      "loAt",
      "hiAt",
      "present",
      "isLeaf",
      "entryPfn",
      "pfnLo",
      "pfnHi",
      "setPtes",
      "cachedTable",
      "cachedEntry",
      "cacheTable",
      "pteLevel",
      "tableBelow",
    ],
  },
  { file: "mm/prot.ts", plain: ["protLo", "protHi", "dirtyBits", "entryLoFor", "entryHiFor", "dirtyMaybeWrite"] },
  { file: "mm/folio.ts", plain: ["folioOrder", "lruItem", "prepFolio", "allocZeroedFolio"] },
  { file: "mm/rmap.ts", plain: ["addNewAnonRmap"] },
  { file: "mm/vma.ts", plain: ["findVma"] },
  { file: "mm/translate.ts", plain: ["walkTables", "translate"] },
  { file: "mm/faultSignal.ts", plain: ["isSignal", "vmaForFault", "faultFlagsOf", "signalOf"] },
  { file: "mm/faultBatch.ts", plain: ["askForBatch"] },
  { file: "mm/fileFault.ts", names: ["doReadFault", "doCowFault", "doSharedFault", "doFault"] },
  { file: "thp/hugeFault.ts", names: ["hugePmdAnonymousPage"] },
  { file: "mm/fault.ts", plain: ["allocAnonFolio"], names: ["doAnonymousPage", "handlePteFault", "handleMmFault", "faultAndAccount"] },
  { file: "mm/access.ts", names: ["pageFault", "accessByFault", "userAccess"] },
  { file: "touch.ts", names: ["execute", "touchRange"] },
];
const generators = new Set(SOURCES.flatMap((s) => s.names ?? []));
/** Where the others come in. */
const entries = new Set(["touchRange", "userAccess"]);
const aloneName = (/** @type {string} */ name) => `${name}Alone`;

/** @typedef {{ from: number, to: number, text: string }} Edit */

/** A statement that is left out: `if (k.preempt) ...`, and `if (!k.preempt) return xAlone(...)`, the way in. @param {ts.Node} node @param {ts.SourceFile} source */
function isLeftOut(node, source) {
  if (!ts.isIfStatement(node) || node.elseStatement !== undefined) return false;
  const condition = node.expression.getText(source);
  return condition === "k.preempt" || (condition === "!k.preempt" && /^return \w+Alone\(/.test(node.thenStatement.getText(source)));
}

/** What a declaration says about generators, taken out of a copy: edits of its text. @param {ts.FunctionDeclaration} fn @param {ts.SourceFile} source @returns {Edit[]} */
function asPlain(fn, source) {
  const name = fn.name?.text ?? "";
  const result = fn.type;
  if (fn.asteriskToken === undefined || fn.body === undefined) throw new Error(`${source.fileName}: ${name} is no generator`);
  if (result === undefined || !ts.isTypeReferenceNode(result) || result.typeName.getText(source) !== "Op" || result.typeArguments?.length !== 1)
    throw new Error(`${source.fileName}: ${name} does not return an Op`);
  return [
    { from: fn.asteriskToken.getStart(source), to: fn.asteriskToken.getEnd(), text: "" },
    { from: result.getStart(source), to: result.getEnd(), text: result.typeArguments[0].getText(source) },
  ];
}

/**
 * Text of a top-level declaration with its generators gone and what is derived called by its new name.
 * @param {ts.Statement} statement @param {ts.SourceFile} source @param {ReadonlySet<string>} derived
 * @returns {{ text: string, used: Set<string> }}
 */
function deriveStatement(statement, source, derived) {
  /** @type {Edit[]} */
  const edits = [];
  /** @type {Set<string>} */
  const used = new Set();
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
      if (call === undefined || !ts.isCallExpression(call) || !ts.isIdentifier(call.expression) || !generators.has(call.expression.text))
        throw new Error(`${where(node)}: yield* of something that is not derived`);
      edits.push({ from: node.getStart(source), to: call.getStart(source), text: "" });
      visit(call);
      return;
    }
    if (ts.isModifier(node)) return;
    if (ts.isIdentifier(node) && isName(node)) {
      used.add(node.text);
      if (derived.has(node.text)) {
        const own = ts.isShorthandPropertyAssignment(node.parent) ? `${node.text}: ` : "";
        edits.push({ from: node.getStart(source), to: node.getEnd(), text: own + aloneName(node.text) });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(statement);
  if (ts.isFunctionDeclaration(statement) && statement.asteriskToken !== undefined) {
    // the type that the generator yields into is gone, and with it the name Op
    edits.push(...asPlain(statement, source));
    used.delete("Op");
  }
  const start = statement.getStart(source);
  let text = source.text.slice(start, statement.getEnd());
  for (const { from, to, text: put } of edits.sort((a, b) => b.from - a.from)) text = text.slice(0, from - start) + put + text.slice(to - start);
  return { text: text.replace(/^export /, ""), used };
}

/** Whether an identifier stands for what it names, and is not the name of a property. @param {ts.Identifier} node */
function isName(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false;
  return !((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node);
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

/** The names that a statement declares. @param {ts.Statement} statement @returns {string[]} */
const declaredBy = (statement) =>
  (ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [statement]).flatMap((d) => {
    const name = /** @type {{ name?: ts.Node }} */ (/** @type {unknown} */ (d)).name;
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
  });

const isExported = (/** @type {ts.Statement} */ statement) =>
  ts.canHaveModifiers(statement) && (ts.getModifiers(statement) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword);

/**
 * The statements of a file that are derived, in its order: those listed, and what these use that the file does not export.
 * @param {ts.SourceFile} source @param {readonly string[]} listed @param {ReadonlySet<string>} everywhere
 */
function chosenOf(source, listed, everywhere) {
  /** @type {Map<string, ts.Statement>} */
  const byName = new Map(source.statements.flatMap((s) => declaredBy(s).map((name) => [name, s])));
  /** @type {Set<ts.Statement>} */
  const chosen = new Set();
  const names = [...listed];
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const statement = byName.get(name);
    if (statement === undefined) throw new Error(`${source.fileName}: no ${name}`);
    if (chosen.has(statement)) continue;
    chosen.add(statement);
    for (const id of deriveStatement(statement, source, everywhere).used) {
      const own = byName.get(id);
      if (own !== undefined && !isExported(own)) names.push(id);
    }
  }
  return source.statements.filter((s) => chosen.has(s));
}

/** The text that alone.ts has to have. @returns {Promise<string>} */
export async function deriveAlone() {
  /** @type {Map<string, Map<string, boolean>>} */
  const imports = new Map();
  /** @type {string[]} */
  const functions = [];
  /** constants that are imported: a constant of the module itself is one for the engine too @type {Set<string>} */
  const constants = new Set();
  const everywhere = new Set(SOURCES.flatMap((s) => [...(s.names ?? []), ...(s.plain ?? [])]));
  for (const { file, names = [], plain = [] } of SOURCES) {
    const path = join(kernel, file);
    const source = ts.createSourceFile(file, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    const known = namesOf(source, path);
    const chosen = chosenOf(source, [...plain, ...names], everywhere);
    const own = new Set([...everywhere, ...chosen.flatMap(declaredBy)]);
    for (const statement of chosen) {
      const { used } = deriveStatement(statement, source, own);
      /** @type {Set<string>} */
      const renamed = new Set(own);
      for (const id of used) {
        const from = known.get(id);
        if (from === undefined || own.has(id)) continue;
        if (!from.module.endsWith(".ts")) throw new Error(`${declaredBy(statement).join()} needs ${id}: ${relative(kernel, from.module)}`);
        const list = imports.get(from.module) ?? new Map();
        list.set(id, from.type && (list.get(id) ?? true));
        imports.set(from.module, list);
        if (!from.type && /^[A-Z][A-Z_0-9]*$/.test(id)) {
          constants.add(id);
          renamed.add(id);
        }
      }
      const text = deriveStatement(statement, source, renamed).text;
      functions.push(`/** ${declaredBy(statement).join(", ")} of ${file}. */\n${entries.has(declaredBy(statement)[0]) ? "export " : ""}${text}`);
    }
  }
  const lines = [...imports].sort().map(([module, ids]) => {
    const allTypes = [...ids.values()].every(Boolean);
    const list = [...ids].sort().map(([id, type]) => (type && !allTypes ? `type ${id}` : id));
    return `import ${allTypes ? "type " : ""}{ ${list.join(", ")} } from "./${relative(kernel, module)}";`;
  });
  const head =
    "/*\n * Derived by tools/deriveAlone.mjs from the generators that it names and what they call; changed only by changing those and running it again. Plain\n" +
    " * functions for when no other thread is runnable: the same rules without their preemption points.\n */";
  const aliases = [...constants].sort().map((id) => `const ${aloneName(id)} = ${id};`);
  const text = `${head}\n${lines.join("\n")}\n\n${aliases.join("\n")}\n\n${functions.join("\n\n")}\n`;
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
