/** The table of the app's commands. */
import type { ShortcutName } from "../../host/api/shortcuts.ts";
import { SHORTCUTS } from "../../host/api/shortcuts.ts";
import type { MessageKey } from "../../i18n/en.ts";
import { say } from "../../i18n/format.ts";
import type { App } from "../state/app.svelte.ts";
import { THEMES } from "../state/settingValues.ts";
import { PICTURE_TABS, type Workspace } from "../state/workspace.svelte.ts";
import type { Command, CommandGroup } from "./registry.ts";

const keysOf = (id: string): readonly string[] => (Object.hasOwn(SHORTCUTS, id) ? SHORTCUTS[id as ShortcutName] : []);

const words = (text: string): readonly string[] => text.split(",").map((word) => word.trim());

/** Commands that have a label and other words for it, with commas between them, in the catalogue. */
type TextId = MessageKey extends infer Key ? (Key extends `renderer.commandWords.${infer Id}` ? Id : never) : never;

const always = (): boolean => true;

function lookCommands(app: App): readonly Command[] {
  const names = {
    system: say("renderer.theme.system"),
    light: say("renderer.theme.light"),
    dark: say("renderer.theme.dark"),
    contrast: say("renderer.theme.contrast"),
  } as const;
  return THEMES.map((theme) => ({
    id: `theme-${theme}`,
    group: "look",
    label: say("renderer.look.useTheme", { theme: names[theme] }),
    keywords: words(say("renderer.look.themeWords")),
    keys: [],
    when: () => app.settings.theme !== theme,
    run: () => {
      app.settings.set("theme", theme);
    },
  }));
}

function pictureCommands(workspace: Workspace, working: () => boolean): readonly Command[] {
  return PICTURE_TABS.map(({ id, title }) => ({
    id: `show-${id}`,
    group: "pictures",
    label: say("renderer.look.showPicture", { picture: title() }),
    keywords: words(say("renderer.look.showWords")),
    keys: [],
    when: working,
    run: () => {
      workspace.showPicture(id);
      workspace.goTo("picture");
    },
  }));
}

/** All commands, in the order of the palette. */
export function appCommands(app: App, workspace: Workspace): readonly Command[] {
  const working = (): boolean => app.screen === "work" && app.session !== null;
  const idle = (): boolean => working() && app.session?.busy === false;
  const known = (): boolean => app.learner !== null;
  const command = (id: TextId, group: CommandGroup, when: () => boolean, run: () => void): Command => {
    return { id, group, label: say(`renderer.command.${id}`), keywords: words(say(`renderer.commandWords.${id}`)), keys: keysOf(id), when, run };
  };
  const open = (dialog: App["dialog"]) => (): void => {
    app.dialog = dialog;
  };
  const { settings } = app;
  return [
    command("goGuide", "go", working, () => workspace.goTo("guide")),
    command("goTerminal", "go", working, () => workspace.goTo("terminal")),
    command("goPicture", "go", working, () => workspace.goTo("picture")),
    command("goTimeline", "go", working, () => workspace.goTo("timeline")),
    command("nextPane", "go", working, () => workspace.goNext(1)),
    command("previousPane", "go", working, () => workspace.goNext(-1)),
    command(
      "home",
      "go",
      () => working() || app.screen === "programs",
      () => void app.goHome(),
    ),
    command(
      "programs",
      "go",
      () => known() && app.screen !== "programs",
      () => app.goPrograms(),
    ),
    command("learners", "go", known, () => app.changeLearner()),
    command(
      "stepBack",
      "history",
      () => idle() && app.session?.timeline.back !== null,
      () => void app.session?.move("back"),
    ),
    command(
      "stepForward",
      "history",
      () => idle() && app.session?.timeline.forward !== null,
      () => void app.session?.move("forward"),
    ),
    command(
      "goStart",
      "history",
      () => idle() && app.session?.timeline.current !== 0,
      () => void app.session?.move(0),
    ),
    command(
      "stop",
      "history",
      () => app.session?.busy === true,
      () => app.session?.cancel(),
    ),
    ...pictureCommands(workspace, working),
    command(
      "twin",
      "pictures",
      () => working() || app.screen === "programs",
      () => settings.set("twin", !settings.twin),
    ),
    command("export", "session", working, open("export")),
    command("transcript", "session", working, open("transcript")),
    command(
      "restartLab",
      "session",
      () => app.session !== null && app.session.lab !== null,
      () => {
        const info = app.session?.lab?.info;
        if (info !== undefined) void app.openLab(info, true);
      },
    ),
    command("toggleGuide", "look", working, () => workspace.toggle("guide")),
    command("togglePicture", "look", working, () => workspace.toggle("picture")),
    command("toggleTimeline", "look", working, () => workspace.toggle("timeline")),
    command("resetPanes", "look", working, () => workspace.resetPanes()),
    ...lookCommands(app),
    command("largerText", "look", always, () => settings.changeFontSize(1)),
    command("smallerText", "look", always, () => settings.changeFontSize(-1)),
    command("normalText", "look", always, () => settings.resetFontSize()),
    command("presentation", "look", always, () => settings.set("presentation", !settings.presentation)),
    command("motion", "look", always, () => settings.set("motion", settings.motion === "system" ? "reduced" : "system")),
    command("settings", "look", always, open("settings")),
    command("fidelity", "help", () => app.hello !== null, open("fidelity")),
    command("keys", "help", always, open("keys")),
    command("palette", "help", always, open("palette")),
  ];
}
