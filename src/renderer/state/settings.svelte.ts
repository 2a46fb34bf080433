/** What a learner chose about the look of the app: kept by the host for each learner, and in the browser so that the first paint has it. */
import type { LabApi, SettingValue } from "../../host/api/labApi.ts";
import {
  DEFAULTS,
  FONT_SIZE_DEFAULT,
  FONT_SIZES,
  PRESENTATION_SCALE,
  readSettings,
  type Motion,
  type PaneSizes,
  type Theme,
  type Values,
} from "./settingValues.ts";

const KEPT_AS = "hugelab.look";
/** a learner who drags a border makes many changes: only the last one is saved */
const SAVE_MS = 400;

export class Settings {
  readonly #api: LabApi;
  #learner: number | null = null;
  #values = $state.raw<Values>(DEFAULTS);
  readonly #unsaved = new Map<keyof Values, ReturnType<typeof setTimeout>>();

  constructor(api: LabApi) {
    this.#api = api;
    this.#values = readSettings(keptLook());
  }

  get theme(): Theme {
    return this.#values.theme;
  }
  get fontSize(): number {
    return this.#values.fontSize;
  }
  get presentation(): boolean {
    return this.#values.presentation;
  }
  get motion(): Motion {
    return this.#values.motion;
  }
  get twin(): boolean {
    return this.#values.twin;
  }
  get pictureTab(): string {
    return this.#values.pictureTab;
  }
  get panes(): PaneSizes {
    return this.#values.panes;
  }
  /** pixels at a zoom of 100 %, with the enlargement of a presentation */
  get shownFontSize(): number {
    return Math.round(this.fontSize * (this.presentation ? PRESENTATION_SCALE : 1));
  }

  use(learner: number, saved: Readonly<Record<string, SettingValue>>): void {
    this.flush();
    this.#learner = learner;
    this.#values = readSettings(saved);
    this.#keepLook();
  }

  set<Name extends keyof Values>(name: Name, value: Values[Name]): void {
    if (this.#values[name] === value) return;
    this.#values = { ...this.#values, [name]: value };
    this.#keepLook();
    this.#save(name);
  }

  /** The next larger (1) or smaller (-1) font. */
  changeFontSize(by: 1 | -1): void {
    const at = FONT_SIZES.findIndex((size) => size === this.fontSize);
    const next = FONT_SIZES[Math.min(FONT_SIZES.length - 1, Math.max(0, at + by))];
    this.set("fontSize", next);
  }

  resetFontSize(): void {
    this.set("fontSize", FONT_SIZE_DEFAULT);
  }

  /** Saves at once what waits to be saved: the page goes away, or somebody else is about to use it. */
  flush(): void {
    for (const name of [...this.#unsaved.keys()]) this.#saveNow(name);
  }

  #save(name: keyof Values): void {
    if (this.#learner === null) return;
    clearTimeout(this.#unsaved.get(name));
    this.#unsaved.set(
      name,
      setTimeout(() => {
        this.#saveNow(name);
      }, SAVE_MS),
    );
  }

  #saveNow(name: keyof Values): void {
    clearTimeout(this.#unsaved.get(name));
    this.#unsaved.delete(name);
    // a look that could not be saved is no reason to disturb anyone
    if (this.#learner !== null) void this.#api.invoke("setSetting", { learner: this.#learner, name, value: this.#values[name] });
  }

  #keepLook(): void {
    try {
      localStorage.setItem(KEPT_AS, JSON.stringify(this.#values));
    } catch {
      // storage may be forbidden: then the first paint is as at the beginning
    }
  }
}

function keptLook(): Readonly<Record<string, unknown>> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
