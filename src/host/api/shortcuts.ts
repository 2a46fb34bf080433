/**
 * Keys of the app's commands, as plain data: the renderer's registry has the commands, Electron's menu shows the keys and sends them to the page.
 * Keys are as tinykeys writes them; `$mod` is Control, on a Mac Command; `Digit1` and `KeyT` are places on the keyboard, since Alt makes other characters of them on a Mac. The first one is shown.
 */
export const SHORTCUTS = {
  palette: ["$mod+k", "F1"],
  keys: ["[Shift]+?", "Shift+F1", "$mod+/"],
  stepBack: ["F8", "$mod+z"],
  stepForward: ["F9", "$mod+Shift+z", "$mod+y"],
  stop: ["$mod+."],
  nextPane: ["F6"],
  previousPane: ["Shift+F6"],
  goGuide: ["Alt+Digit1"],
  goTerminal: ["Alt+Digit2"],
  goPicture: ["Alt+Digit3"],
  goTimeline: ["Alt+Digit4"],
  toggleGuide: ["Alt+Shift+Digit1"],
  togglePicture: ["Alt+Shift+Digit3"],
  toggleTimeline: ["Alt+Shift+Digit4"],
  twin: ["Alt+KeyT"],
  home: ["Alt+KeyH"],
  largerText: ["$mod+Alt+="],
  smallerText: ["$mod+Alt+-"],
  presentation: ["Alt+KeyP"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ShortcutName = keyof typeof SHORTCUTS;
