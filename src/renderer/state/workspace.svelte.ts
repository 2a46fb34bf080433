/** Panes of the work screen: which are there, where the focus goes, which picture is shown. */
import { say } from "../../i18n/format.ts";
import type { Settings } from "./settings.svelte.ts";

export type PaneName = "guide" | "terminal" | "picture" | "timeline";
export type PictureTab = "addressSpace" | "pageTables" | "physical" | "counters" | "eligibility" | "why" | "diff" | "compare";

/** in the order in which F6 goes through them */
export const PANES: readonly PaneName[] = ["guide", "picture", "terminal", "timeline"];

export const PICTURE_TABS: readonly { readonly id: PictureTab; readonly title: () => string }[] = [
  { id: "addressSpace", title: () => say("renderer.picture.addressSpace") },
  { id: "pageTables", title: () => say("renderer.picture.pageTables") },
  { id: "physical", title: () => say("renderer.picture.physical") },
  { id: "counters", title: () => say("renderer.picture.counters") },
  { id: "eligibility", title: () => say("renderer.picture.eligibility") },
  { id: "why", title: () => say("renderer.picture.why") },
  { id: "diff", title: () => say("renderer.picture.diff") },
  { id: "compare", title: () => say("renderer.picture.compare") },
];

/** What the work screen lends: its panes can be opened, closed and given the focus. */
export interface PaneHandle {
  readonly isOpen: () => boolean;
  readonly open: () => void;
  readonly close: () => void;
  readonly focus: () => void;
}

/** Where a picture is asked to look: set by a click in another picture. */
export interface Aim {
  readonly address: string | null;
  readonly process: string | null;
  readonly level: number | null;
}

const NOWHERE: Aim = { address: null, process: null, level: null };

export class Workspace {
  readonly #settings: Settings;
  readonly #panes = new Map<PaneName, PaneHandle>();
  #focused: PaneName = "terminal";
  tab = $state<PictureTab>("addressSpace");
  aim = $state.raw<Aim>(NOWHERE);
  /** a frame of physical memory to be shown */
  frame = $state<number | null>(null);
  /** the question of the picture of causes, and those before it */
  questions = $state.raw<readonly string[]>([]);
  /** in a small window one pane is shown at a time */
  single = $state<PaneName>("terminal");
  narrow = $state(false);
  /** counts up when the sizes of the panes are to be as at the beginning */
  resets = $state(0);

  constructor(settings: Settings) {
    this.#settings = settings;
    this.tab = PICTURE_TABS.find(({ id }) => id === settings.pictureTab)?.id ?? "addressSpace";
  }

  /** Returns how to take it back. */
  addPane(name: PaneName, handle: PaneHandle): () => void {
    this.#panes.set(name, handle);
    return () => {
      if (this.#panes.get(name) === handle) this.#panes.delete(name);
    };
  }

  noteFocus(name: PaneName): void {
    this.#focused = name;
  }

  goTo(name: PaneName): void {
    this.single = name;
    const pane = this.#panes.get(name);
    if (pane === undefined) return;
    pane.open();
    this.#focused = name;
    // a pane that was closed has to be laid out before it can take the focus
    requestAnimationFrame(() => {
      pane.focus();
    });
  }

  goNext(direction: 1 | -1): void {
    const there = PANES.filter((name) => this.#panes.has(name) && (this.narrow || this.#panes.get(name)?.isOpen() === true));
    if (there.length === 0) return;
    const at = there.indexOf(this.#focused);
    this.goTo(there[(at + direction + there.length) % there.length]);
  }

  toggle(name: PaneName): void {
    const pane = this.#panes.get(name);
    if (pane === undefined) return;
    if (this.narrow) this.goTo(this.single === name ? "terminal" : name);
    else if (pane.isOpen()) pane.close();
    else pane.open();
  }

  /** Another session: nothing that was looked at in the one before means anything in it. */
  begin(): void {
    this.aim = NOWHERE;
    this.frame = null;
    this.questions = [];
    this.single = "terminal";
  }

  resetPanes(): void {
    this.#settings.set("panes", {});
    this.resets++;
  }

  showPicture(tab: PictureTab): void {
    this.tab = tab;
    this.#settings.set("pictureTab", tab);
  }

  showPageTables(address: string, process: string | null): void {
    this.aim = { address, process, level: null };
    this.showPicture("pageTables");
  }

  showFrame(pfn: number): void {
    this.frame = pfn;
    this.showPicture("physical");
  }

  /** Asks a question of causes, as the next one of those that led here. */
  ask(words: string): void {
    if (this.questions.at(-1) !== words) this.questions = [...this.questions, words];
    this.showPicture("why");
  }

  /** Back to a question that was asked before. */
  askAgain(index: number): void {
    this.questions = this.questions.slice(0, index + 1);
  }
}
