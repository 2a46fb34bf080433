import { expect, it } from "vitest";
import { shrink, simplerLines } from "./shrink.ts";

const noise = Array.from({ length: 40 }, (_, i) => `madvise B+${i}M 4k dontneed`);

it("finds the two lines of eighty that matter, with the smallest lengths", async () => {
  const source = [...noise, "mmap A 8M rw private anon populate", ...noise, "touch A+4M+8k 64k w v=3", ...noise].join("\n");
  let asked = 0;
  const minimal = await shrink(source, (text) => {
    asked++;
    return Promise.resolve(/^mmap A .*populate/m.test(text) && /^touch A.* w/m.test(text));
  });
  expect(minimal).toBe("mmap A populate\ntouch A w\n");
  expect(asked).toBeLessThan(200);
});

it("does without a child where P shows the same", async () => {
  const source = "mmap A 4M rw private anon\nfork C1\n@C1 touch A w\n@C1 exit\n";
  expect(await shrink(source, (text) => Promise.resolve(/touch/.test(text) && !/^@C1 exit\n/.test(text)))).toBe("touch A\n");
});

it("keeps what is needed, and asks no more often than allowed", async () => {
  const source = noise.join("\n") + "\n";
  expect(await shrink(source, (text) => Promise.resolve(text === source))).toBe(source);
  let asked = 0;
  await shrink(source, () => Promise.resolve(++asked < 0), 5);
  expect(asked).toBe(5);
});

it("makes lines simpler one thing at a time", () => {
  expect(simplerLines("@C1 touch A+4M+8k 64k w")).toEqual(
    expect.arrayContaining(["@C1 touch A+4M+8k 64k", "@C1 touch A+8k 64k w", "@C1 touch A+4M+4k 64k w", "@C1 touch A+4M+8k 4k w", "@C1 touch A+4M 64k w"]),
  );
});
