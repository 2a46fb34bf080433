/**
 * Requests of which only the newest counts, for pictures that follow the learner: one is under way, one waits, those in between are never sent.
 * An answer that is older than the newest request is still shown when nothing newer has come (the eye follows), unless `forget` was called.
 */
export class Latest<Request, Result> {
  readonly #ask: (request: Request) => Promise<Result>;
  readonly #show: (result: Result, request: Request) => void;
  #running = false;
  #waiting: { readonly request: Request } | null = null;
  #generation = 0;

  constructor(ask: (request: Request) => Promise<Result>, show: (result: Result, request: Request) => void) {
    this.#ask = ask;
    this.#show = show;
  }

  request(request: Request): void {
    if (this.#running) {
      this.#waiting = { request };
      return;
    }
    void this.#run(request);
  }

  /** Nothing that was asked before is shown any more. */
  forget(): void {
    this.#generation++;
    this.#waiting = null;
  }

  async #run(first: Request): Promise<void> {
    this.#running = true;
    let request = first;
    for (;;) {
      const generation = this.#generation;
      const result = await this.#ask(request);
      if (generation === this.#generation) this.#show(result, request);
      const next = this.#waiting;
      if (next === null) break;
      this.#waiting = null;
      request = next.request;
    }
    this.#running = false;
  }
}
