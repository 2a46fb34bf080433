/** The menu bar: the app's commands with their keys. A click sends the key to the page, so what a command does is written once, there. */
import type { KeyboardInputEvent, MenuItemConstructorOptions } from "electron";
import { SHORTCUTS, type ShortcutName } from "../host/api/shortcuts.ts";
import { formatMessage, say } from "../i18n/format.ts";
import type { WindowPart } from "./electronParts.ts";

const MENUS: readonly { readonly title: "main.menuLab" | "main.menuHistory" | "main.menuGo" | "main.menuView"; readonly items: readonly ShortcutName[] }[] = [
  { title: "main.menuLab", items: ["home", "stop"] },
  { title: "main.menuHistory", items: ["stepBack", "stepForward"] },
  { title: "main.menuGo", items: ["goGuide", "goTerminal", "goPicture", "goTimeline", "nextPane", "previousPane"] },
  { title: "main.menuView", items: ["twin", "toggleGuide", "togglePicture", "toggleTimeline", "largerText", "smallerText", "presentation"] },
];
const HELP: readonly ShortcutName[] = ["palette", "keys"];

/** A key that means the command wherever the focus is: the line editor has the other ones for itself. Null: it has none. */
export function keyEverywhere(name: ShortcutName): string | null {
  const keys: readonly string[] = SHORTCUTS[name];
  return keys.find((key) => /(^|\+)F\d+$/.test(key) || key.includes("Alt+") || key === "$mod+.") ?? null;
}

/** "$mod+Shift+z" as Electron writes it in a menu. */
export function acceleratorOf(key: string): string {
  return key
    .split("+")
    .map((part) => (part === "$mod" ? "CommandOrControl" : part.length === 1 ? part.toUpperCase() : part))
    .join("+");
}

/** "$mod+Shift+z" as an event that a page gets. */
export function inputEventOf(key: string, type: "keyDown" | "keyUp", isMac: boolean): KeyboardInputEvent {
  const parts = key.split("+");
  const modifiers = parts.slice(0, -1).map((part) => (part === "$mod" ? (isMac ? "meta" : "control") : part === "Shift" ? "shift" : "alt"));
  return { type, keyCode: parts[parts.length - 1], modifiers };
}

/** What the menu needs to know of where it is. */
export interface MenuPlace {
  readonly isMac: boolean;
  /** only where the app is being developed */
  readonly devtools: boolean;
  readonly window: () => WindowPart | null;
}

export function menuTemplate(place: MenuPlace): MenuItemConstructorOptions[] {
  const item = (name: ShortcutName): MenuItemConstructorOptions[] => {
    const key = keyEverywhere(name);
    if (key === null) return [];
    const click = (): void => {
      const contents = place.window()?.webContents;
      contents?.sendInputEvent(inputEventOf(key, "keyDown", place.isMac));
      contents?.sendInputEvent(inputEventOf(key, "keyUp", place.isMac));
    };
    // shown and not registered: a pressed key reaches the page by itself
    return [{ id: name, label: formatMessage(`renderer.command.${name}`), accelerator: acceleratorOf(key), registerAccelerator: false, click }];
  };
  const menus = MENUS.map(({ title, items }): MenuItemConstructorOptions => ({ label: say(title), submenu: items.flatMap(item) }));
  // elsewhere the page handles these keys; Control-C is the terminal's
  const edit = (["copy", "paste", "selectAll"] as const).map((role): MenuItemConstructorOptions => ({ role, registerAccelerator: place.isMac }));
  const [lab, ...others] = menus;
  const view = others[others.length - 1];
  const separator: MenuItemConstructorOptions = { type: "separator" };
  const zoom = (["zoomIn", "zoomOut", "resetZoom", "togglefullscreen"] as const).map((role): MenuItemConstructorOptions => ({ role }));
  append(view, [separator, ...zoom, ...(place.devtools ? [separator, { role: "toggleDevTools" } as const] : [])]);
  append(lab, [separator, { role: "quit" }]);
  return [
    ...(place.isMac ? [{ role: "appMenu" } as const] : []),
    lab,
    { label: say("main.menuEdit"), submenu: edit },
    ...others,
    { role: "help", label: say("main.menuHelp"), submenu: HELP.flatMap(item) },
  ];
}

function append(menu: MenuItemConstructorOptions, more: readonly MenuItemConstructorOptions[]): void {
  if (Array.isArray(menu.submenu)) menu.submenu.push(...more);
}
