/** The words of one manual page in one language. Paragraphs are separated by an empty line. */
export interface ManText {
  /** one line, without a full stop */
  readonly summary: string;
  readonly description: string;
  /** for each errno of the rows, when it is returned */
  readonly errnos?: Readonly<Record<string, string>>;
  /** how releases differ */
  readonly notes?: string;
}

/** Page name to its words; a later layer adds the pages of its rows. */
export type ManTexts = Readonly<Record<string, ManText>>;
