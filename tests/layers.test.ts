import { cruise, type ICruiseResult } from "dependency-cruiser";
import { describe, expect, it } from "vitest";
import configuration from "../.dependency-cruiser.mjs";
import { withFolder } from "./support.ts";

/** Names of the rules that a tree of sources breaks, as `rule: from -> to`. */
async function broken(files: Readonly<Record<string, string>>): Promise<string[]> {
  return withFolder(files, async (folder) => {
    const { output } = await cruise(["src"], {
      ...configuration.options,
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: configuration.forbidden ?? [] },
    });
    return (output as ICruiseResult).summary.violations
      .map(({ rule, from, to }) => `${rule.name}: ${from.replace("src/", "")} -> ${to.replace("src/", "")}`)
      .sort();
  });
}

const empty = "export {};\n";
const use = (path: string) => `import "${path}";\n`;

/** A file in `from` that imports a file in `to`; relative paths are counted from src/. */
function edge(from: string, to: string, statement = use): Record<string, string> {
  const up = "../".repeat(from.split("/").length);
  return { [`src/${from}/a.ts`]: statement(`${up}${to}/b.ts`), [`src/${to}/b.ts`]: empty };
}

describe("layers", () => {
  it.each([
    ["observe", "kernel"],
    ["shell", "observe"],
    ["session", "shell"],
    ["conform", "session"],
    ["lab", "kernel"],
    ["host/engine", "lab"],
    ["host/engine", "host/api"],
    ["host/service", "host/engine"],
    ["host/service", "storage"],
    ["main", "host/service"],
    ["web", "host/service"],
    ["renderer", "host/api"],
    ["renderer", "shell/line"],
    ["cli", "conform"],
    ["cli", "i18n"],
  ])("%s may import %s", async (from, to) => {
    expect(await broken(edge(from, to))).toEqual([]);
  });

  it.each([
    ["kernel", "observe", "layer-kernel"],
    ["kernel", "i18n", "layer-kernel"],
    ["observe", "shell", "layer-observe"],
    ["shell", "session", "layer-shell"],
    ["session", "conform", "layer-session"],
    ["session", "i18n", "layer-session"],
    ["conform", "lab", "layer-conform"],
    ["lab", "conform", "layer-lab"],
    ["lab", "host/engine", "layer-lab"],
    ["host/api", "kernel", "layer-host-api"],
    ["host/engine", "host/service", "layer-host-engine"],
    ["host/engine", "storage", "layer-host-engine"],
    ["storage", "host/service", "layer-storage"],
    ["cli", "storage", "layer-cli"],
    ["main", "storage", "layer-main"],
    ["web", "host/engine", "layer-web"],
    ["renderer", "session", "layer-renderer"],
    ["renderer", "shell", "layer-renderer"],
    ["preload", "host/service", "layer-preload"],
    ["i18n", "shell", "layer-i18n"],
  ])("%s may not import %s", async (from, to, rule) => {
    expect(await broken(edge(from, to))).toEqual([`${rule}: ${from}/a.ts -> ${to}/b.ts`]);
  });

  it("counts a climb by `import type` alone", async () => {
    const files = edge("kernel", "session", (path) => `import type { B } from "${path}";\nexport type A = B;\n`);
    expect(await broken({ ...files, "src/session/b.ts": "export type B = 1;\n" })).toEqual(["layer-kernel: kernel/a.ts -> session/b.ts"]);
  });

  it("holds for test files too", async () => {
    expect(await broken({ "src/kernel/a.test.ts": use("../session/b.ts"), "src/session/b.ts": empty })).toEqual([
      "layer-kernel: kernel/a.test.ts -> session/b.ts",
    ]);
  });

  it("refuses a file that belongs to no layer", async () => {
    expect(await broken({ "src/utils/a.ts": use("./b.ts"), "src/utils/b.ts": empty })).toContain("no-such-layer: utils/a.ts -> utils/b.ts");
  });

  it("lets i18n put the layers' catalogues together", async () => {
    expect(await broken({ "src/i18n/en.ts": use("../shell/messages.en.ts"), "src/shell/messages.en.ts": empty })).toEqual([]);
  });
});

describe("pure layers", () => {
  it.each(["kernel", "observe", "shell", "session", "conform", "lab", "host/engine"])("%s may not use Node, its tests may", async (part) => {
    const files = { [`src/${part}/a.ts`]: use("node:fs"), [`src/${part}/b.ts`]: use("path"), [`src/${part}/a.test.ts`]: use("node:fs") };
    expect(await broken(files)).toEqual([`pure-no-core: ${part}/a.ts -> fs`, `pure-no-core: ${part}/b.ts -> path`]);
  });

  it("may not use packages, but lab/ may use zod", async () => {
    const packages = { "node_modules/zod/package.json": '{"name":"zod","main":"index.js"}', "node_modules/zod/index.js": empty };
    const files = {
      "src/lab/a.ts": use("zod"),
      "src/session/a.ts": use("zod"),
      "src/session/a.test.ts": use("zod"),
      "package.json": '{"dependencies":{"zod":"*"}}',
    };
    expect(await broken({ ...packages, ...files })).toEqual(["pure-no-packages: session/a.ts -> node_modules/zod/index.js"]);
  });

  it("keeps the line editor alone with string-width", async () => {
    const packages = Object.fromEntries(
      ["zod", "string-width"].flatMap((name) => [
        [`node_modules/${name}/package.json`, `{"name":"${name}","main":"index.js"}`],
        [`node_modules/${name}/index.js`, empty],
      ]),
    );
    const files = {
      "src/shell/line/a.ts": use("string-width") + use("zod") + use("../b.ts") + use("./b.ts"),
      "src/shell/line/b.ts": empty,
      "src/shell/b.ts": empty,
      "package.json": '{"dependencies":{"zod":"*","string-width":"*"}}',
    };
    expect(await broken({ ...packages, ...files })).toEqual([
      "line-alone: shell/line/a.ts -> node_modules/zod/index.js",
      "line-alone: shell/line/a.ts -> shell/b.ts",
    ]);
  });

  it("may not use electron", async () => {
    const packages = { "node_modules/electron/package.json": '{"name":"electron","main":"index.js"}', "node_modules/electron/index.js": empty };
    const rules = await broken({
      ...packages,
      "src/lab/a.ts": use("electron"),
      "src/kernel/a.ts": use("electron"),
      "package.json": '{"dependencies":{"electron":"*"}}',
    });
    expect(rules.map((text) => text.split(":")[0])).toEqual(["lab-packages", "pure-no-packages"]);
  });
});

describe("other rules", () => {
  it("cli loads hosts by import() only", async () => {
    expect(await broken(edge("cli", "host/service"))).toEqual(["cli-loads-hosts-late: cli/a.ts -> host/service/b.ts"]);
    expect(await broken(edge("cli", "host/service", (path) => `export const load = () => import("${path}");\n`))).toEqual([]);
  });

  it("refuses circles, but not those that are erased", async () => {
    const circle = { "src/kernel/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n' };
    expect(await broken({ ...circle, "src/kernel/b.ts": 'import { a } from "./a.ts";\nexport const b = () => a;\n' })).toEqual([
      "no-circular: kernel/a.ts -> kernel/b.ts",
    ]);
    expect(await broken({ ...circle, "src/kernel/b.ts": 'import type { a } from "./a.ts";\nexport const b = (x: typeof a) => x;\n' })).toEqual([]);
  });

  it("refuses to import a test", async () => {
    expect(await broken({ "src/kernel/a.ts": use("./b.test.ts"), "src/kernel/b.test.ts": empty })).toEqual([
      "no-test-imports: kernel/a.ts -> kernel/b.test.ts",
    ]);
  });
});
