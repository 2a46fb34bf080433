import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { zipSync, type Zippable } from "fflate";
import { describe, expect, it } from "vitest";
import { withDataFolder, withService } from "../../../tests/hostSupport.ts";
import { root, withFolder } from "../../../tests/support.ts";
import { MOST_FILE_BYTES, MOST_TOTAL_BYTES } from "../../lab/pack/limits.ts";
import { findPacks, readPackAt, treeHash } from "./packFiles.ts";
import { PackUnreadable } from "./packProblem.ts";
import { readZip } from "./zipFiles.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const good: Zippable = {
  "pack.json": text('{"a": 1}'),
  "labs/": new Uint8Array(),
  "labs/one/lab.json": text("{}".repeat(500)),
  "labs/one/stored.md": [text("as it is"), { level: 0 }],
};
const zipOf = (files: Zippable): Buffer => Buffer.from(zipSync(files));

/** Why a zip is refused; the sentence, or "read". */
async function why(zip: Buffer): Promise<string> {
  try {
    await readZip(zip);
    return "read";
  } catch (error) {
    if (!(error instanceof PackUnreadable)) throw error;
    return error.message;
  }
}

/** Places of entry number `entry` in the table of contents and of its own header. */
function placesOf(zip: Buffer, entry: number): { readonly central: number; readonly local: number } {
  let central = zip.readUInt32LE(zip.length - 6);
  for (let i = 0; i < entry; i++) central += 46 + zip.readUInt16LE(central + 28) + zip.readUInt16LE(central + 30) + zip.readUInt16LE(central + 32);
  return { central, local: zip.readUInt32LE(central + 42) };
}

function changed(change: (zip: Buffer, at: ReturnType<typeof placesOf>) => void, files: Zippable = good): Buffer {
  const zip = zipOf(files);
  change(zip, placesOf(zip, 0));
  return zip;
}

describe("a zip", () => {
  it("is read in memory, packed and stored files alike, without its folders", async () => {
    const files = await readZip(zipOf(good));
    expect([...files.keys()].sort()).toEqual(["labs/one/lab.json", "labs/one/stored.md", "pack.json"]);
    expect(Buffer.from(files.get("labs/one/lab.json") ?? "").toString()).toBe("{}".repeat(500));
    expect(Buffer.from(files.get("labs/one/stored.md") ?? "").toString()).toBe("as it is");
  });

  it.each<readonly [string, Buffer, RegExp]>([
    ["says another length", changed((zip, { central }) => zip.writeUInt32LE(9, central + 24)), /does not agree/],
    ["says a shorter length", changed((zip, { central }) => zip.writeUInt32LE(3, central + 24)), /does not agree/],
    ["says another checksum", changed((zip, { central }) => zip.writeUInt32LE(1, central + 16)), /does not agree/],
    ["has other bytes", changed((zip, { local }) => zip.writeUInt8(zip[local + 30 + 9 + 2] ^ 0xff, local + 30 + 9 + 2)), /does not agree/],
    ["names a file otherwise in its own header", changed((zip, { local }) => zip.write("x", local + 30)), /does not agree/],
    ["packs otherwise than it says", changed((zip, { central }) => zip.writeUInt16LE(0, central + 10)), /no zip|does not agree/],
    ["has two files in the same bytes", changed((zip, { local }) => zip.writeUInt32LE(local, placesOf(zip, 2).central + 42)), /does not agree/],
    ["lies beyond its end", changed((zip, { central }) => zip.writeUInt32LE(0x7fffffff, central + 42)), /does not agree/],
    ["is encrypted", changed((zip, { central }) => zip.writeUInt16LE(1, central + 8)), /encrypted/],
    ["holds a link", changed((zip, { central }) => zip.writeUInt8(3, central + 5) && zip.writeUInt32LE(0o120777 * 0x10000, central + 38)), /link/],
    ["holds a device", changed((zip, { central }) => zip.writeUInt8(3, central + 5) && zip.writeUInt32LE(0o060666 * 0x10000, central + 38)), /link/],
    ["is packed in an unknown way", changed((zip, { central, local }) => zip.writeUInt16LE(12, central + 10) && zip.writeUInt16LE(12, local + 8)), /no zip/],
    ["says that it has more", changed((zip) => zip.writeUInt16LE(9, zip.length - 14) && zip.writeUInt16LE(9, zip.length - 12)), /no zip/],
    ["has two names that are one elsewhere", zipOf({ "a.md": text("1"), "A.md": text("2") }), /does not agree/],
    ["leads out", zipOf({ "../x.md": text("1") }), /^(?!.*lab\.).{10}/],
    ["leads out the Windows way", zipOf({ "..\\x.md": text("1") }), /^(?!.*lab\.).{10}/],
    ["is absolute", zipOf({ "/etc/x.md": text("1") }), /^(?!.*lab\.).{10}/],
    ["holds an archive", zipOf({ "x.zip": text("1") }), /^(?!.*lab\.).{10}/],
    ["is far too deep", zipOf({ "a/b/c/d/e/f/g/x.md": text("1") }), /^(?!.*lab\.).{10}/],
    ["is packed to fill up memory", zipOf({ "a.md": new Uint8Array(MOST_FILE_BYTES - 1) }), /to 1/],
    ["says that a file is too large", changed((zip, { central }) => zip.writeUInt32LE(MOST_FILE_BYTES + 1, central + 24)), /larger/],
    ["has too many files", zipOf(Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`f${i}.md`, text("")]))), /larger/],
    ["is cut off", zipOf(good).subarray(0, -1), /no zip/],
    ["is empty", Buffer.alloc(0), /no zip/],
    ["is something else", Buffer.from("my diary".repeat(100)), /no zip/],
  ])("that %s is refused in one sentence", async (_, zip, sentence) => {
    expect(await why(zip)).toMatch(sentence);
  });

  it("with any bytes changed is read or refused, and what is read is what was packed", async () => {
    const zip = zipOf(good);
    const whole = await readZip(zip);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(zip.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (changes) => {
        const other = Buffer.from(zip);
        for (const [at, byte] of changes) other[at] = byte;
        try {
          for (const [name, bytes] of await readZip(other)) {
            const was = whole.get(name);
            if (was !== undefined) expect(Buffer.from(bytes).equals(was)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(PackUnreadable);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("packs on the disk", () => {
  it("are folders and zips, of whose content the hash is the same; a zip may be of the folder itself", async () => {
    await withFolder({ "a/pack.json": "{}", "a/labs/x/lab.json": "1", "a/.git/config": "not part of it" }, async (folder) => {
      const files = { "pack.json": text("{}"), "labs/x/lab.json": text("1") };
      writeFileSync(join(folder, "b.zip"), zipOf(files));
      writeFileSync(join(folder, "c.hlab"), zipOf(Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`top/${path}`, bytes]))));
      writeFileSync(join(folder, "notes.txt"), "no pack");
      const { packs, bad } = await findPacks([folder]);
      expect(bad).toEqual([]);
      expect(packs.map(({ place }) => place)).toEqual([join(folder, "a"), join(folder, "b.zip"), join(folder, "c.hlab")]);
      expect(new Set(packs.map(({ hash }) => hash))).toEqual(new Set([treeHash(new Map(Object.entries(files)))]));
      expect((await readPackAt(join(folder, "a"))).files).toHaveLength(2);
    });
  });

  it("that cannot be read are told, and the others are used", async () => {
    await withFolder({ "good/pack.json": "{}", "link/pack.json": "{}", "broken.zip": "no zip" }, async (folder) => {
      symlinkSync("/etc/passwd", join(folder, "link", "README.md"));
      mkdirSync(join(folder, "deep", "1", "2", "3", "4", "5", "6", "7"), { recursive: true });
      writeFileSync(join(folder, "big.zip"), Buffer.alloc(MOST_TOTAL_BYTES + 1));
      const { packs, bad } = await findPacks([folder, join(folder, "nowhere")]);
      expect(packs.map(({ place }) => place)).toEqual([join(folder, "good")]);
      expect(bad.map(({ place }) => place).sort()).toEqual(["big.zip", "broken.zip", "deep", "link"].map((name) => join(folder, name)));
      for (const { sentence } of bad) expect(sentence).toMatch(/^\w.{10,}/);
    });
  });

  it("are listed behind those that they name in after, whatever their folders are called", async () => {
    await withDataFolder(async (folder) => {
      const shipped = readdirSync(join(root, "labs")).map((name) => readFileSync(join(root, "labs", name, "pack.json"), "utf8"));
      const packs = new Map(shipped.map((text) => JSON.parse(text) as { id: string; after?: readonly string[] }).map((pack) => [pack.id, pack.after ?? []]));
      expect([...packs.values()].flat().length).toBeGreaterThan(0);
      await withService(folder, async (front) => {
        const { learner } = await front.sandbox();
        const listed = [...new Set((await front.ok("listLabs", { learner })).map(({ packId }) => packId))];
        expect([...listed].sort()).toEqual([...packs.keys()].sort());
        for (const [id, after] of packs) for (const other of after) expect(listed.indexOf(other)).toBeLessThan(listed.indexOf(id));
      });
    });
  });

  it("of the learner stand beside those that ship, and one that is wrong is a notice", async () => {
    await withDataFolder(async (folder) => {
      const [shipped] = readdirSync(join(root, "labs"));
      const tree = await readPackAt(join(root, "labs", shipped));
      mkdirSync(join(folder, "packs"));
      // the same pack under another name, one that lies, one that is no pack
      writeFileSync(join(folder, "packs", "again.zip"), zipOf(Object.fromEntries(tree.files)));
      writeFileSync(
        join(folder, "packs", "lies.zip"),
        changed((zip, { central }) => zip.writeUInt32LE(1, central + 16)),
      );
      writeFileSync(join(folder, "packs", "none.zip"), zipOf({ "pack.json": text("{}") }));
      await withService(folder, async (front) => {
        const { notices } = await front.ok("hello", {});
        expect(notices.map(({ severity }) => severity)).toEqual(["warning", "warning", "warning"]);
        for (const name of ["again.zip", "lies.zip", "none.zip"]) expect(notices.filter(({ text: words }) => words.includes(name))).toHaveLength(1);
        const { learner } = await front.sandbox();
        expect((await front.ok("listLabs", { learner })).length).toBeGreaterThan(0);
      });
    });
  });
});
