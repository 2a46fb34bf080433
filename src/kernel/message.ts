/**
 * A sentence for a person, not yet in a language: a catalogue key and the values that go into its template.
 * Layers from kernel to lab return messages; hosts and front ends look them up (src/i18n).
 */
export interface Message {
  readonly key: string;
  readonly args: Readonly<Record<string, string | number>>;
}
