import { LineTerminal } from "./lineTerminal.ts";
import { reduce } from "../src/shell/line/reduce.ts";
import { render } from "../src/shell/line/render.ts";
import { createLine } from "../src/shell/line/state.ts";
let s = createLine(11, 3),
  l: any = null;
const t = new LineTerminal(11, 3, "6");
await t.write("1\r\n2\r\n3\r\n");
const show = async () => {
  const r = render(s, "$ ", l, { onResize: "kept" });
  l = r.layout;
  console.log(JSON.stringify(r.output));
  await t.write(r.output);
  for (let i = 0; i < t.rowCount; i++)
    console.log(
      i,
      t.isWrapped(i),
      JSON.stringify(
        t
          .cells(i)
          .map((c) => c.text)
          .join("|"),
      ),
    );
  console.log(t.cursor, l.first, l.cursorRow);
};
await show();
for (const x of ["꓇힤ｗ𿿾क्षか", "e\u0301"]) {
  s = reduce(s, { kind: "text", text: x }).state;
  await show();
}
t.resize(2, 3);
s = reduce(s, { kind: "resize", columns: 2, rows: 3 }).state;
for (let i = 0; i < t.rowCount; i++)
  console.log(
    i,
    t.isWrapped(i),
    JSON.stringify(
      t
        .cells(i)
        .map((c) => c.text)
        .join("|"),
    ),
  );
console.log(t.cursor);
await show();
