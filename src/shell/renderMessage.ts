import type { Message } from "../kernel/message.ts";

/** Catalogue: message key to template; `{name}` in a template stands for an argument. */
export type Catalogue = Readonly<Record<string, string>>;

/** Turns a message into a sentence. */
export type RenderMessage = (message: Message) => string;

/** A renderer over one catalogue. A key that is missing prints as the key with its arguments: never an exception, never an empty line. */
export function renderer(catalogue: Catalogue): RenderMessage {
  return (message) => {
    const template = Object.hasOwn(catalogue, message.key) ? catalogue[message.key] : undefined;
    if (template === undefined) return `${message.key} ${JSON.stringify(message.args)}`;
    return template.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(message.args, name) ? String(message.args[name]) : whole));
  };
}
