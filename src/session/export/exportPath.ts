import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { ExportForm } from "../model.ts";
import type { ShellSession } from "../shellSession.ts";

export function exportPath(form: ExportForm, session: ShellSession, render: RenderMessage): { readonly fileName: string; readonly text: string } {
  void render;
  return {
    fileName: `session.${form}`,
    text: session.history
      .path(session.history.current.id)
      .map((n) => n.command)
      .join("\n"),
  };
}
