import type { Message } from "../kernel/message.ts";
import { catalogueEn, type en, type MessageKey } from "./en.ts";

/** Keys whose template has no names, for tables of keys that are said as they are. */
export type PlainKey = { [Key in MessageKey]: [ArgumentNames<(typeof en)[Key]>] extends [never] ? Key : never }[MessageKey];

type Value = string | number;

/** The names in braces of a template, as a union. */
type ArgumentNames<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}` ? Name | ArgumentNames<Rest> : never;

/** No second argument for a template without names, else exactly the names it has. */
type ArgumentsOf<Key extends MessageKey> = [ArgumentNames<(typeof en)[Key]>] extends [never]
  ? []
  : [args: Readonly<Record<ArgumentNames<(typeof en)[Key]>, Value>>];

/**
 * The sentence for a key. Never throws: a key without a template (an older catalogue, a newer kernel) shows as key and arguments,
 * and a name without a value stays in its braces, since a clumsy sentence is better than none.
 */
export function formatMessage(key: string, args: Readonly<Record<string, Value>> = {}): string {
  if (!Object.hasOwn(catalogueEn, key)) {
    const shown = Object.entries(args).map(([name, value]) => `${name}=${value}`);
    return [key, ...shown].join(" ");
  }
  return catalogueEn[key].replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(args, name) ? String(args[name]) : whole));
}

/** The sentence for what a layer from kernel to lab returned. */
export function sentence(message: Message): string {
  return formatMessage(message.key, message.args);
}

/** `formatMessage` for hosts and front ends, whose keys and arguments TypeScript checks against the catalogue. */
export function say<Key extends MessageKey>(key: Key, ...args: ArgumentsOf<Key>): string {
  return formatMessage(key, args[0]);
}
