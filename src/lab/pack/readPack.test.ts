import { describe, expect, it } from "vitest";
import { smallLab, smallPack, treeOf } from "../../../tests/packSupport.ts";
import { MOST_ENTRIES, MOST_FILE_BYTES, MOST_TEXT_BYTES } from "./limits.ts";
import { migratePack, type PackFiles } from "./migrate.ts";
import { readPack } from "./readPack.ts";

type Files = Record<string, string | Uint8Array>;
const LAB = "labs/01-touch";

/** The names of the problems of the small pack after a change. */
function problemsAfter(change: (files: Files) => void): string[] {
  const files: Files = smallPack();
  change(files);
  const read = readPack(treeOf(files));
  return read.kind === "bad" ? read.problems.map(({ name }) => name) : [];
}

function withLab(change: (lab: Record<string, unknown>) => void): (files: Files) => void {
  return (files) => {
    const lab = smallLab();
    change(lab);
    files[`${LAB}/lab.json`] = JSON.stringify(lab);
  };
}

const text = (files: Files, path: string): string => {
  const content = files[path];
  if (typeof content !== "string") throw new Error(path);
  return content;
};

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]);

describe("readPack", () => {
  it("reads a pack", () => {
    const read = readPack(treeOf(smallPack()));
    expect(read).toMatchObject({
      kind: "pack",
      pack: {
        title: "Small",
        labs: [
          {
            folder: LAB,
            steps: [
              { id: "map", title: "Map", text: "Map A." },
              { id: "touch", text: "Write to A." },
            ],
            solution: { lines: ["mmap A 4M rw private anon", "madvise A hugepage", "touch A 2M w"], lineNumbers: [2, 3, 4] },
            decoys: [{ fails: ["mapped", "touched"] }, { fails: ["touched"] }, { fails: ["touched"] }, { fails: ["mapped", "touched"] }],
          },
        ],
      },
    });
    expect(read.kind === "pack" && read.pack.labs[0].hints.get("touched")).toEqual(["Write.", "All of the first half.", "Type `touch A 2M w`."]);
  });

  it.each<[string, string]>([
    ["/etc/passwd", "nameAbsolute"],
    ["C:/x.md", "nameAbsolute"],
    ["labs/../../x.md", "nameDots"],
    ["labs/./x.md", "nameDots"],
    ["labs//x.md", "nameDots"],
    ["labs\\x.md", "nameBackslash"],
    ["labs/x\0.md", "nameCharacters"],
    ["labs/a b.md", "nameCharacters"],
    ["labs/x.md.", "nameCharacters"],
    ["labs/-x.md", "nameCharacters"],
    ["labs/con", "nameReserved"],
    ["labs/COM1.txt", "nameReserved"],
    ["labs/x.zip", "nestedArchive"],
    ["a/b/c/d/e/f/g", "tooDeep"],
    [`labs/${"x".repeat(200)}`, "nameTooLong"],
    ["PACK.JSON", "nameTwice"],
    ["extra.sh", "unknownFile"],
    [`${LAB}/run.sh`, "unknownFile"],
    [`${LAB}/assets/x.svg`, "unknownFile"],
    ["labs/02-other/lab.json", "labNotNamed"],
  ])("refuses the path %j: %s", (path, name) => {
    expect(problemsAfter((files) => (files[path] = "{}"))).toContain(name);
  });

  it("takes names for the same that differ in case or in how an accent is written", () => {
    const accented = problemsAfter((files) => {
      files[`${LAB}/decoys/caf\u00e9.trace`] = files[`${LAB}/decoys/cafe\u0301.trace`] = text(files, `${LAB}/decoys/late.trace`);
    });
    expect(accented).toEqual(["nameTwice"]);
    expect(problemsAfter((files) => (files[`${LAB}/Hints.md`] = "x"))).toEqual(["nameTwice"]);
  });

  it.each<[string, (files: Files) => void]>([
    ["tooManyFiles", (files) => Array.from({ length: MOST_ENTRIES }, (_, i) => (files[`labs/x${i}.md`] = ""))],
    ["fileTooBig", (files) => (files[`${LAB}/assets/x.png`] = new Uint8Array(MOST_FILE_BYTES + 1))],
    ["packTooBig", (files) => Array.from({ length: 7 }, (_, i) => (files[`${LAB}/assets/${i}.png`] = new Uint8Array(MOST_FILE_BYTES)))],
    ["textTooLong", (files) => (files[`${LAB}/steps/10-map.md`] = "x".repeat(MOST_TEXT_BYTES + 1))],
    ["noManifest", (files) => delete files["pack.json"]],
    ["notJson", (files) => (files["pack.json"] = "{,}")],
    ["notAnObject", (files) => (files["pack.json"] = "[]")],
    ["jsonTooDeep", (files) => (files["pack.json"] = "[".repeat(100_00))],
    ["tooNew", (files) => (files["pack.json"] = text(files, "pack.json").replace('"formatVersion":1', '"formatVersion":2'))],
    ["noVersion", (files) => (files["pack.json"] = text(files, "pack.json").replace('"formatVersion":1', '"formatVersion":"1"'))],
    ["unknownKey", (files) => (files["pack.json"] = text(files, "pack.json").replace("{", '{"run":"rm",'))],
    ["missingKey", (files) => (files["pack.json"] = text(files, "pack.json").replace('"title":"Small",', ""))],
    ["missingFile", (files) => delete files[`${LAB}/hints.md`]],
    ["missingFile", (files) => delete files[`${LAB}/solution.trace`]],
    ["missingFile", (files) => (files["pack.json"] = text(files, "pack.json").replace("01-touch", "02-touch"))],
    ["labNamedTwice", (files) => (files["pack.json"] = text(files, "pack.json").replace('["01-touch"]', '["01-touch","01-touch"]'))],
    ["notUtf8", (files) => (files[`${LAB}/closing.md`] = new Uint8Array([0x41, 0xc3]))],
    ["controlCharacter", (files) => (files[`${LAB}/closing.md`] = "a \u001b[2J b")],
    ["controlCharacter", (files) => (files[`${LAB}/closing.md`] = "a \u202e b")],
    ["controlCharacter", (files) => (files[`${LAB}/lab.json`] = text(files, `${LAB}/lab.json`).replace("Map and touch.", "Map \\u001b]52;c;x\\u0007"))],
    ["noFrontMatter", (files) => (files[`${LAB}/steps/10-map.md`] = "Map A.")],
    ["notYaml", (files) => (files[`${LAB}/steps/10-map.md`] = "---\nid: &a map\ntitle: *a\n---\nx")],
    ["notYaml", (files) => (files[`${LAB}/steps/10-map.md`] = "---\nid: [\n---\nx")],
    ["unknownKey", (files) => (files[`${LAB}/steps/10-map.md`] = "---\nid: map\ntitle: Map\nrun: x\n---\nx")],
    ["frontMatterTooLong", (files) => (files[`${LAB}/steps/10-map.md`] = `---\nid: map\ntitle: ${"x".repeat(2000)}\n---\nx`)],
    ["emptyStep", (files) => (files[`${LAB}/steps/10-map.md`] = "---\nid: map\ntitle: Map\n---\n\n")],
    ["html", (files) => (files[`${LAB}/closing.md`] = "a <img src=x onerror=alert(1)> b")],
    ["html", (files) => (files[`${LAB}/closing.md`] = "<script>x</script>")],
    ["link", (files) => (files[`${LAB}/closing.md`] = "[x](javascript:alert(1))")],
    ["link", (files) => (files[`${LAB}/closing.md`] = "[x](http://example.org)")],
    ["link", (files) => (files[`${LAB}/closing.md`] = "[x](https://good.org@evil.org/)")],
    ["link", (files) => (files[`${LAB}/closing.md`] = "[x](../../other)")],
    ["link", (files) => (files[`${LAB}/closing.md`] = "<file:///etc/passwd>")],
    ["noSuchStep", (files) => (files[`${LAB}/closing.md`] = "[x](step:nowhere)")],
    ["image", (files) => (files[`${LAB}/closing.md`] = "![x](https://example.org/x.png)")],
    [
      "altText",
      (files) => {
        files[`${LAB}/assets/x.png`] = PNG;
        files[`${LAB}/closing.md`] = "![](assets/x.png)";
      },
    ],
    [
      "notAPicture",
      (files) => {
        files[`${LAB}/assets/x.webp`] = PNG;
        files[`${LAB}/closing.md`] = "![x](assets/x.webp)";
      },
    ],
    ["unusedAsset", (files) => (files[`${LAB}/assets/x.png`] = PNG)],
    [
      "noSteps",
      (files) => {
        delete files[`${LAB}/steps/10-map.md`];
        delete files[`${LAB}/steps/20-touch.md`];
      },
    ],
    ["tooManySteps", (files) => Array.from({ length: 20 }, (_, i) => (files[`${LAB}/steps/${30 + i}-x.md`] = `---\nid: s${i}\ntitle: x\n---\nx`))],
    ["wrongType", withLab((lab) => (lab.minutes = "12"))],
    ["tooSmall", withLab((lab) => (lab.checks = []))],
    ["hintForm", (files) => (files[`${LAB}/hints.md`] = `${text(files, `${LAB}/hints.md`)}\nSome words.\n`)],
    ["hintForNothing", (files) => (files[`${LAB}/hints.md`] = `${text(files, `${LAB}/hints.md`)}\n## other\n\n1. a\n2. b\n`)],
    ["noHints", (files) => (files[`${LAB}/hints.md`] = "## mapped\n\n1. a\n2. b\n")],
    ["rungs", (files) => (files[`${LAB}/hints.md`] = "## mapped\n\n1. a\n\n## touched\n\n1. a\n2. b\n")],
    ["noLines", (files) => (files[`${LAB}/solution.trace`] = "# nothing\n")],
    ["lineTooLong", (files) => (files[`${LAB}/solution.trace`] = "x".repeat(300))],
    ["tooManyLines", (files) => (files[`${LAB}/solution.trace`] = "true\n".repeat(200))],
    ["decoySaysNothing", (files) => (files[`${LAB}/decoys/late.trace`] = "true\n")],
    ["noSuchCheck", (files) => (files[`${LAB}/decoys/late.trace`] = "# fails: nothing\ntrue\n")],
    ["recordingNotNamed", (files) => (files[`${LAB}/recordings/x.json`] = "{}")],
    ["missingFile", withLab((lab) => (lab.badge = { kind: "recorded", recordings: ["recordings/x.json"] }))],
    ["noSuchLab", withLab((lab) => (lab.prerequisites = ["0b1d3e5f-0000-4000-8000-00000000000f"]))],
    ["prerequisiteCircle", withLab((lab) => (lab.prerequisites = [lab.id]))],
    ["idTwice", withLab((lab) => (lab.id = "0b1d3e5f-0000-4000-8000-000000000001"))],
    ["idTwice", withLab((lab) => (lab.checks = [...(lab.checks as unknown[]), (lab.checks as unknown[])[0]]))],
    ["noSuchStep", withLab((lab) => ((lab.checks as Record<string, unknown>[])[0].step = "nowhere"))],
    ["invalid", withLab((lab) => (lab.id = "1"))],
    ["notOneOf", withLab((lab) => (lab.difficulty = "deadly"))],
    ["unknownKey", withLab((lab) => ((lab.checks as Record<string, unknown>[])[0].script = "x"))],
    ["tooBig", withLab((lab) => (lab.minutes = 1000))],
    ["notOneOf", withLab((lab) => ((lab.checks as Record<string, unknown>[])[0].require = { path: "smaps[A].Rss", op: "matches", value: ".*" }))],
  ])("says %s (%#)", (name, change) => {
    expect(problemsAfter(change)).toContain(name);
  });

  it("shows a bounded number of problems, and counts the rest", () => {
    const files: Files = smallPack();
    for (let i = 0; i < 300; i++) files[`x${i}`] = "";
    const read = readPack(treeOf(files));
    expect(read.kind === "bad" && read.problems.at(-1)).toEqual({ file: "", place: "", name: "more", args: { count: 200 } });
  });

  it("says where", () => {
    const files: Files = smallPack();
    withLab((lab) => ((lab.checks as Record<string, unknown>[])[1].require = { path: "smaps[A].Rss", op: "==", value: 1, colour: 2 }))(files);
    files[`${LAB}/steps/20-touch.md`] = "---\nid: touch\ntitle: Touch\n---\n\nWrite.\n\n<b>x</b>\n";
    const read = readPack(treeOf(files));
    expect(read.kind === "bad" && read.problems).toMatchObject([
      { file: `${LAB}/lab.json`, place: "checks[1].require", name: "unknownKey", args: { keys: "colour" } },
    ]);
    withLab(() => undefined)(files);
    expect(readPack(treeOf(files))).toMatchObject({ problems: [{ file: `${LAB}/steps/20-touch.md`, place: "line 8", name: "html" }, { name: "html" }] });
  });
});

describe("migratePack", () => {
  const files = (formatVersion: unknown): PackFiles => ({ manifest: { formatVersion }, labs: new Map() });
  const second = { to: 2, apply: (old: PackFiles): PackFiles => ({ ...old, manifest: { ...old.manifest, licence: 1 } }) };
  const third = { to: 3, apply: (old: PackFiles): PackFiles => ({ ...old, manifest: { ...old.manifest, colour: Number(old.manifest["licence"]) + 1 } }) };

  it("applies what is due, in order", () => {
    expect(migratePack(files(1), [second, third])).toMatchObject({ files: { manifest: { formatVersion: 3, licence: 1, colour: 2 } } });
    expect(migratePack(files(3), [second, third])).toMatchObject({ files: { manifest: { formatVersion: 3 } } });
  });

  it("refuses what is newer and what is no version", () => {
    expect(migratePack(files(4), [second, third])).toEqual({ kind: "tooNew", found: "4" });
    for (const none of [0, -1, 1.5, "1", null, undefined]) expect(migratePack(files(none)).kind).toBe("noVersion");
  });

  it("has its steps in order", () => {
    expect(() => migratePack(files(1), [third, second])).toThrow("stands in the place of 2");
  });
});
