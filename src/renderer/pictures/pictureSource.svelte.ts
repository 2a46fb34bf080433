/** A picture that follows the session: asks for the newest request, shows what came last, says why nothing did. */
import type { Picture, PictureRequest } from "../../observe/picture/model.ts";
import { Latest } from "../state/latest.ts";
import type { Session } from "../state/session.svelte.ts";

type PictureOf<Kind extends PictureRequest["kind"]> = Extract<Picture, { kind: Kind }>;
type RequestOf<Kind extends PictureRequest["kind"]> = Extract<PictureRequest, { kind: Kind }>;

export class PictureSource<Kind extends PictureRequest["kind"]> {
  picture = $state.raw<PictureOf<Kind> | null>(null);
  error = $state<string | null>(null);
  readonly #latest: Latest<RequestOf<Kind>, void>;

  constructor(session: Session) {
    this.#latest = new Latest(
      async (request) => {
        const reply = await session.call("picture", { request });
        if (!reply.ok) this.error = reply.error.sentence;
        else if (reply.result.kind === request.kind) {
          this.error = null;
          this.picture = reply.result as PictureOf<Kind>;
        }
      },
      () => undefined,
    );
  }

  ask(request: RequestOf<Kind>): void {
    this.#latest.request(request);
  }
}
