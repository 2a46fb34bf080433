/** The settings of a learner as values: what is possible, and what of saved ones can be used. */

export type Theme = "system" | "light" | "dark" | "contrast";
export type Motion = "system" | "reduced";

export const THEMES: readonly Theme[] = ["system", "light", "dark", "contrast"];
/** pixels at a zoom of 100 % */
export const FONT_SIZES = [12, 13, 14, 15, 16, 18, 20, 24, 28] as const;
export const FONT_SIZE_DEFAULT = 14;
/** how much larger everything is in a presentation */
export const PRESENTATION_SCALE = 1.4;
export type PaneSizes = Readonly<Record<string, number>>;

export interface Values {
  theme: Theme;
  fontSize: number;
  presentation: boolean;
  motion: Motion;
  twin: boolean;
  pictureTab: string;
  panes: PaneSizes;
}

export const DEFAULTS: Values = {
  theme: "system",
  fontSize: FONT_SIZE_DEFAULT,
  presentation: false,
  motion: "system",
  twin: false,
  pictureTab: "addressSpace",
  panes: {},
};

function isNumberRecord(value: unknown): value is PaneSizes {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every((each) => typeof each === "number");
}

/** What of saved settings is of the right form; the rest is as at the beginning. */
export function readSettings(saved: Readonly<Record<string, unknown>>): Values {
  const { theme, fontSize, presentation, motion, twin, pictureTab, panes } = saved;
  return {
    theme: THEMES.find((each) => each === theme) ?? DEFAULTS.theme,
    fontSize: FONT_SIZES.find((each) => each === fontSize) ?? DEFAULTS.fontSize,
    presentation: presentation === true,
    motion: motion === "reduced" ? "reduced" : "system",
    twin: twin === true,
    pictureTab: typeof pictureTab === "string" ? pictureTab : DEFAULTS.pictureTab,
    panes: isNumberRecord(panes) ? panes : DEFAULTS.panes,
  };
}
