import { describe, expect, it } from "vitest";
import { Latest } from "./latest.ts";
import { readSettings } from "./settingValues.ts";

function desk() {
  const asked: number[] = [];
  const shown: string[] = [];
  const answers: (() => void)[] = [];
  const latest = new Latest(
    (request: number) => {
      asked.push(request);
      return new Promise<string>((resolve) => answers.push(() => resolve(`r${request}`)));
    },
    (result) => void shown.push(result),
  );
  const answer = async (): Promise<void> => {
    answers.shift()?.();
    await new Promise((done) => setTimeout(done, 0));
  };
  return { latest, asked, shown, answer };
}

describe("Latest", () => {
  it("asks for the first and for the newest, and for none in between", async () => {
    const { latest, asked, shown, answer } = desk();
    for (let i = 1; i <= 5; i++) latest.request(i);
    expect(asked).toEqual([1]);
    await answer();
    expect(asked).toEqual([1, 5]);
    await answer();
    expect(shown).toEqual(["r1", "r5"]);
    latest.request(6);
    expect(asked).toEqual([1, 5, 6]);
  });

  it("shows nothing that was asked before it was told to forget", async () => {
    const { latest, shown, answer } = desk();
    latest.request(1);
    latest.request(2);
    latest.forget();
    await answer();
    expect(shown).toEqual([]);
    latest.request(3);
    await answer();
    expect(shown).toEqual(["r3"]);
  });
});

describe("readSettings", () => {
  it("takes what is of the right form and leaves the rest", () => {
    expect(readSettings({ theme: "dark", fontSize: 18, twin: true, panes: { guide: 30 }, motion: "reduced", presentation: false, pictureTab: "why" })).toEqual({
      theme: "dark",
      fontSize: 18,
      twin: true,
      panes: { guide: 30 },
      motion: "reduced",
      presentation: false,
      pictureTab: "why",
    });
    const untouched = readSettings({});
    expect(readSettings({ theme: "pink", fontSize: 1000, twin: "yes", panes: { guide: "x" }, motion: 3, presentation: 1, pictureTab: 4 })).toEqual(untouched);
  });
});
