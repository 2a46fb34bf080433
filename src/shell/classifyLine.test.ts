import { expect, it } from "vitest";
import { classifyLine } from "./classifyLine.ts";
import { makeCommandTable } from "./table/baseTable.ts";

const table = makeCommandTable();

it.each([
  ["", "empty"],
  ["  # x", "empty"],
  ["// x", "empty"],
  ["mmap A 8M rw private anon", "command"],
  ["@C touch A w", "command"],
  ["@", "command"],
  ["exit", "command"],
  ["sleep 5", "command"],
  ["mmap", "command"],
  ["mmap(NULL, 8M", "call"],
  ["a = mmap(NULL", "call"],
  ["a=mmap (0", "call"],
  ["void *a = mmap(", "call"],
  ["char *a=(char *)mmap(", "call"],
  ["[pid 3] brk(0) = 1", "call"],
  ["12 brk(0)", "call"],
  ["foo(1)", "call"],
  ["cat /proc/self/smaps", "tool"],
  ["echo madvise > /sys/x", "tool"],
  ["x=5", "tool"],
  ["grep 'a(b' f", "tool"],
  ["unknown", "tool"],
  ["'mmap' A", "tool"],
  ["echo f(x)", "tool"],
])("%j is %s", (line, form) => expect(classifyLine(line, table).form).toBe(form));
