import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallError, EventName, Events, Method, Methods } from "../src/host/api/labApi.ts";
import { openService, type ServiceOptions } from "../src/host/service/openService.ts";
import type { Service } from "../src/host/service/service.ts";
import { root } from "./support.ts";

export const ENGINE = new URL("../src/host/service/engineWorker.ts", import.meta.url);
/** an engine that dies when it is told to: see there */
export const FAULTY_ENGINE = new URL("./faultyEngineWorker.ts", import.meta.url);

// workers of the engine start in half the time
process.env["NODE_COMPILE_CACHE"] ??= join(root, "node_modules", ".cache", "hugelab");

export interface Heard {
  readonly name: EventName;
  readonly payload: unknown;
}

/** A service with what a front end does with it. */
export class Front {
  readonly service: Service;
  readonly heard: Heard[] = [];

  constructor(service: Service) {
    this.service = service;
    service.onEvent((name, payload) => this.heard.push({ name, payload }));
  }

  async ok<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
    const reply = await this.service.call(method, params);
    if (!reply.ok) throw new Error(`${method}: ${reply.error.code}: ${reply.error.sentence}`);
    return reply.result;
  }

  async refused(method: string, params: unknown): Promise<CallError> {
    const reply = await this.service.call(method, params);
    if (reply.ok) throw new Error(`${method} was answered`);
    return reply.error;
  }

  events<E extends EventName>(name: E): readonly Events[E][] {
    return this.heard.filter((event) => event.name === name).map(({ payload }) => payload as Events[E]);
  }

  /** A learner and a session without a lab. */
  async sandbox(name = "Kim"): Promise<{ readonly learner: number; readonly session: number }> {
    const { learners } = await this.ok("hello", {});
    const learner = learners.find((each) => each.name === name)?.id ?? (await this.ok("createLearner", { name })).id;
    const { session } = await this.ok("openSandbox", { learner, profile: "debian-6.18.15", patches: [], config: [] });
    return { learner, session };
  }

  /** What a line printed. */
  async submit(session: number, line: string): Promise<string> {
    const { step } = await this.ok("submit", { session, line });
    return step.output.map(({ text }) => text).join("");
  }
}

export async function withDataFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hugelab-host-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens a service on a folder, uses and closes it. */
export async function withService<T>(dataFolder: string | null, use: (front: Front) => Promise<T>, more: Partial<ServiceOptions> = {}): Promise<T> {
  const limits = { lockedWaitMs: 50, ...more.limits };
  const service = await openService({ host: "browser", root, dataFolder, engineUrl: ENGINE, version: "0.0.0", ...more, limits });
  try {
    return await use(new Front(service));
  } finally {
    await service.close();
  }
}
