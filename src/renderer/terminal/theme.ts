/** Colours of the terminal, from the tokens of the page; only the 16 basic ones are used in what we write. */
import type { ITheme } from "@xterm/xterm";

type ThemeName = "light" | "dark" | "contrast";

const ANSI: Readonly<Record<ThemeName, Readonly<Record<"red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "brightBlack", string>>>> = {
  light: { red: "#a32222", green: "#1c6b3c", yellow: "#7a4d00", blue: "#0f6674", magenta: "#8a2a78", cyan: "#0f6674", brightBlack: "#575d68" },
  dark: { red: "#f19a93", green: "#7fd29a", yellow: "#e9bd6b", blue: "#63c3cf", magenta: "#e59ad5", cyan: "#63c3cf", brightBlack: "#a3a9b5" },
  contrast: { red: "#ff9b95", green: "#6dff8f", yellow: "#ffd166", blue: "#ffe600", magenta: "#ff7be9", cyan: "#ffe600", brightBlack: "#ffffff" },
};

export function terminalTheme(name: ThemeName, token: (name: string) => string): ITheme {
  const colours = ANSI[name];
  return {
    background: token("--terminal"),
    foreground: token("--text"),
    cursor: token("--accent"),
    cursorAccent: token("--terminal"),
    selectionBackground: name === "light" ? "#bcdfe3" : name === "dark" ? "#2f5a62" : "#806f00",
    ...colours,
    brightBlue: colours.blue,
    brightRed: colours.red,
    brightGreen: colours.green,
    brightYellow: colours.yellow,
    brightMagenta: colours.magenta,
    brightCyan: colours.cyan,
  };
}
