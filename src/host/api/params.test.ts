import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LINE_CHARACTERS_MAX } from "./frames.ts";
import type { Method, Methods } from "./labApi.ts";
import { METHODS } from "./names.ts";
import { checkCall, isSettingValue, PART_CHARACTERS_MAX } from "./params.ts";

const uuid = "00000000-0000-4000-8000-000000000001";

/** A call of each method that is as it has to be; TypeScript checks that none is left out. */
const good: { readonly [M in Method]: readonly Methods[M]["params"][] } = {
  hello: [{}],
  createLearner: [{ name: "Kim" }, { name: "김" }],
  useLearner: [{ learner: 1 }],
  setSetting: [
    { learner: 1, name: "theme", value: "dark" },
    { learner: 1, name: "fontSize", value: 14 },
    { learner: 1, name: "presentation", value: true },
    { learner: 1, name: "motion", value: "reduced" },
    { learner: 1, name: "twin", value: false },
    { learner: 1, name: "pictureTab", value: "physical" },
    { learner: 1, name: "panes", value: { lab: 30, terminal: 40.5 } },
  ],
  listLabs: [{ learner: 1 }],
  openLab: [{ learner: 1, packId: uuid, labId: uuid, anew: false }],
  openSandbox: [{ learner: 1, profile: "debian-6.18.15", patches: ["+mthp", "-x"], config: [["/sys/kernel/mm/transparent_hugepage/enabled", "always"]] }],
  resumeSession: [{ learner: 1, session: 1 }],
  closeSession: [{ session: 1 }],
  submit: [
    { session: 1, line: "" },
    { session: 1, line: "x".repeat(LINE_CHARACTERS_MAX) },
  ],
  cancel: [{ session: 1 }],
  move: [
    { session: 1, to: 0 },
    { session: 1, to: "back" },
    { session: 1, to: "forward" },
  ],
  complete: [{ session: 1, text: "mm", cursor: 2 }],
  timeline: [{ session: 1, first: 0, count: 200 }],
  picture: [
    { session: 1, request: { kind: "addressSpace", process: null, first: 0, count: 200, cells: 512 } },
    { session: 1, request: { kind: "pageTables", process: "P", address: "0x7f0000000000", level: 1 } },
    { session: 1, request: { kind: "pageTables", process: null, address: "A+2M", level: null } },
    { session: 1, request: { kind: "physical", firstPfn: 0, cells: 4096, pagesPerCell: 32768, selected: 3 } },
    { session: 1, request: { kind: "counters", filter: "thp", changedOnly: true } },
  ],
  why: [{ session: 1, words: "A+4k" }],
  diff: [{ session: 1, from: 0, to: 3 }],
  compare: [{ session: 1, other: { profile: "upstream-6.1", patches: [], config: [] } }],
  exportSession: [{ session: 1, form: "strace" }],
  predict: [{ session: 1, prediction: "first-fault", answer: "4 kB" }],
  hint: [{ session: 1, check: "pmd-mapped" }],
  showSolution: [{ session: 1 }],
  enterStep: [{ session: 1, step: "touch" }],
  fidelity: [{}],
  listPrograms: [{}],
  importPart: [{ upload: uuid, name: "smaps.txt", text: "x".repeat(PART_CHARACTERS_MAX), part: 0, isLast: true }],
  forgetProgram: [{ program: "mine-1" }],
  replayProgram: [
    { program: "compiler", profile: null, settings: "" },
    { program: "compiler", profile: "debian-6.18.15", settings: "enabled=always,64k=always" },
  ],
  sweepProgram: [{ program: "compiler", profile: null, settings: ["enabled=never"] }],
  stopWork: [{}],
};

describe("every method", () => {
  it.each(METHODS)("%s has a schema that lets good calls through as they are", (method) => {
    for (const params of good[method]) expect(checkCall(method, params)).toEqual({ ok: true, call: { method, params } });
  });

  it.each(METHODS)("%s refuses an unknown key, a missing one, and everything that is no object", (method) => {
    const [params] = good[method];
    expect(checkCall(method, { ...params, more: 1 }).ok).toBe(false);
    for (const name of Object.keys(params)) {
      const { [name]: _, ...rest } = params as Readonly<Record<string, unknown>>;
      expect([name, checkCall(method, rest).ok]).toEqual([name, false]);
    }
    for (const other of [null, undefined, 0, "", [], [params], JSON.stringify(params)]) expect(checkCall(method, other).ok).toBe(false);
  });

  it("is called by its own name only", () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty", "Hello", "", null, 3, {}, ["hello"]]) {
      const check = checkCall(name, {});
      expect(check).toMatchObject({ ok: false, problem: { key: "host.call.unknown" } });
    }
  });
});

describe("limits", () => {
  const refused: readonly (readonly [Method, unknown])[] = [
    ["createLearner", { name: "" }],
    ["createLearner", { name: "x".repeat(81) }],
    ["useLearner", { learner: 0 }],
    ["useLearner", { learner: 1.5 }],
    ["useLearner", { learner: 2 ** 60 }],
    ["useLearner", { learner: NaN }],
    ["useLearner", { learner: "1" }],
    ["setSetting", { learner: 1, name: "theme", value: "pink" }],
    ["setSetting", { learner: 1, name: "fontSize", value: 9 }],
    ["setSetting", { learner: 1, name: "fontSize", value: Infinity }],
    ["setSetting", { learner: 1, name: "nothing", value: 1 }],
    ["setSetting", { learner: 1, name: "__proto__", value: 1 }],
    ["setSetting", { learner: 1, name: "panes", value: JSON.parse('{"__proto__": 3}') as unknown }],
    ["setSetting", { learner: 1, name: "panes", value: { lab: 101 } }],
    ["setSetting", { learner: 1, name: "panes", value: Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`p${i}`, 1])) }],
    ["openLab", { learner: 1, packId: "../../etc", labId: uuid, anew: true }],
    ["openSandbox", { learner: 1, profile: "../x", patches: [], config: [] }],
    ["openSandbox", { learner: 1, profile: "x", patches: Array.from({ length: 101 }, () => "a"), config: [] }],
    ["openSandbox", { learner: 1, profile: "x", patches: [], config: [["enabled", "always"]] }],
    ["submit", { session: 1, line: "x".repeat(LINE_CHARACTERS_MAX + 1) }],
    ["submit", { session: 1, line: ["x"] }],
    ["move", { session: 1, to: -1 }],
    ["move", { session: 1, to: "up" }],
    ["complete", { session: 1, text: "a", cursor: 2 }],
    ["timeline", { session: 1, first: 0, count: 2001 }],
    ["picture", { session: 1, request: { kind: "constructor" } }],
    ["picture", { session: 1, request: { kind: "physical", firstPfn: 0, cells: 4096, pagesPerCell: 3, selected: null } }],
    ["picture", { session: 1, request: { kind: "physical", firstPfn: 0, cells: 4097, pagesPerCell: 1, selected: null } }],
    ["picture", { session: 1, request: { kind: "addressSpace", process: "a b", first: 0, count: 1, cells: 1 } }],
    ["picture", { session: 1, request: { kind: "pageTables", process: null, address: "A 1", level: null } }],
    ["why", { session: 1, words: "x".repeat(201) }],
    ["exportSession", { session: 1, form: "cpp" }],
  ];

  it.each(refused.map(([method, params], i) => [method, i, params] as const))("%s refuses call %i", (method, _, params) => {
    const check = checkCall(method, params);
    expect(check).toMatchObject({ ok: false, problem: { key: "host.call.malformed", args: { method } } });
  });

  it("names the place that is wrong, and never repeats a long or strange text", () => {
    const check = checkCall("picture", { session: 1, request: { kind: "counters", filter: 3, changedOnly: true } });
    expect(check).toMatchObject({ problem: { args: { place: "params.request.filter" } } });
    const strange = checkCall(`${"x".repeat(1000)}\u001b[31m`, {});
    expect(strange).toMatchObject({ problem: { args: { method: "x".repeat(60) } } });
    expect(checkCall("\u001b[2J", {})).toMatchObject({ problem: { args: { method: "?[2J" } } });
  });

  it("hold for settings that were saved", () => {
    expect(isSettingValue("theme", "light")).toBe(true);
    for (const [name, value] of [
      ["theme", 3],
      ["constructor", 3],
      ["panes", [1]],
    ] as const)
      expect(isSettingValue(name, value)).toBe(false);
  });
});

describe("whatever is sent", () => {
  const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, withSparseArray: true, withTypedArray: true });

  it("is let through or refused, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...METHODS), anything), anything, (method, params) => {
        expect(typeof checkCall(method, params).ok).toBe("boolean");
      }),
    );
  });

  it("as a good call with one value changed is let through only with its type", () => {
    const calls = METHODS.flatMap((method) => good[method].map((params) => ({ method, params })));
    fc.assert(
      fc.property(fc.constantFrom(...calls), fc.nat(), anything, ({ method, params }, at, value) => {
        const names = Object.keys(params);
        if (names.length === 0) return;
        const check = checkCall(method, { ...params, [names[at % names.length]]: value });
        // what passes can be sent on as JSON: nothing that is no plain data gets through
        if (check.ok) expect(JSON.parse(JSON.stringify(check.call.params))).toEqual(check.call.params);
      }),
      { numRuns: 500 },
    );
  });

  it("a getter that throws, and a proxy, are refused", () => {
    const getter = Object.defineProperty({}, "session", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    expect(checkCall("submit", getter).ok).toBe(false);
    expect(
      checkCall(
        "submit",
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error("no");
            },
          },
        ),
      ).ok,
    ).toBe(false);
  });
});
