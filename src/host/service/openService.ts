import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readFidelity } from "../../conform/fidelity.ts";
import { say, sentence } from "../../i18n/format.ts";
import { BEHAVIOUR } from "../../session/behaviour.ts";
import type { EventName, Events, FidelityView, HostKind, Notice } from "../api/labApi.ts";
import { fidelityView, noFidelity } from "../engine/fidelityView.ts";
import { TASK_HANDLES, type LabSummary, type PackSummary } from "../engine/protocol.ts";
import { Keeper } from "./keeper.ts";
import { LearnerList } from "./learnerList.ts";
import type { OpenSession } from "./openSession.ts";
import { findPacks } from "./packFiles.ts";
import { ProgramDesk } from "./programDesk.ts";
import { readPrograms } from "./programFiles.ts";
import { keepReport } from "./reports.ts";
import { Saver } from "./saver.ts";
import { Service } from "./service.ts";
import { SessionDesk } from "./sessionDesk.ts";
import { Supervisor } from "./supervisor.ts";

export interface ServiceOptions {
  readonly host: HostKind;
  /** Hugelab's own folder: it has labs/ and conformance/fidelity.json */
  readonly root: string;
  /** null: the machine has no place for it */
  readonly dataFolder: string | null;
  /** of the worker's entry: engineWorker.ts, or what it was built into */
  readonly engineUrl: URL;
  readonly version: string;
  /** for tests */
  readonly limits?: Partial<ServiceLimits>;
}

export interface ServiceLimits {
  readonly heapMiB: number;
  readonly silentLooks: number;
  readonly startingLooks: number;
  readonly lookMs: number;
  readonly databaseBytesMax: number;
  readonly lockedWaitMs: number;
}

/** A working engine that is not heard of for 30 s is dead: the longest stretch of work without looking up is far below one second. */
const LIMITS: ServiceLimits = { heapMiB: 1024, silentLooks: 120, startingLooks: 480, lookMs: 250, databaseBytesMax: 4 * 1024 ** 3, lockedWaitMs: 1000 };

/**
 * Opens everything behind a host: database, packs, engine. Where the database cannot be used the lab works all the same, and says that
 * nothing is saved.
 * @throws CallFailure when the engine cannot be started
 */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { host, root, dataFolder, engineUrl, version } = options;
  const limits = { ...LIMITS, ...options.limits };
  const nowMs = (): number => Date.now();
  const listeners = new Set<(name: EventName, payload: unknown) => void>();
  const emit = <E extends EventName>(name: E, payload: Events[E]): void => {
    for (const listener of listeners) listener(name, payload);
  };
  const found = await findPacks([join(root, "labs"), ...(dataFolder === null ? [] : [join(dataFolder, "packs")])]);
  const fidelity = loadFidelity(root, version);
  const shipped = readPrograms(join(root, "conformance", "programs"));
  const supervisor = new Supervisor({
    engineUrl,
    fidelity,
    programs: shipped,
    heapMiB: limits.heapMiB,
    silentLooks: limits.silentLooks,
    startingLooks: limits.startingLooks,
    lookMs: limits.lookMs,
    onProgress: (handle, operationsDone) => {
      if (handle >= TASK_HANDLES) {
        programs.progress(handle, operationsDone);
        return;
      }
      const session = desk.numberOfHandle(handle);
      if (session !== null) emit("progress", { session, operationsDone });
    },
  });
  const places = new Map(found.packs.map(({ hash, place }) => [hash, place]));
  let packs: readonly PackSummary[] = [];
  const packOf = (packId: string): PackSummary | undefined => packs.find((pack) => pack.packId === packId);
  const labOf = (packId: string, labId: string): LabSummary | undefined => packOf(packId)?.labs.find(({ info }) => info.labId === labId);
  const keeper = new Keeper({ folder: dataFolder, host, nowMs, sizeBytesMax: limits.databaseBytesMax, lockedWaitMs: limits.lockedWaitMs });
  const learners = new LearnerList(keeper, nowMs);
  const saver = new Saver(keeper, learners, nowMs, (packId) => {
    const pack = packOf(packId);
    return pack === undefined ? undefined : { hash: pack.hash, packId, version: pack.version, place: places.get(pack.hash) ?? "?" };
  });
  const report = (what: { readonly why: string; readonly method: string; readonly session: OpenSession }): void => {
    if (dataFolder === null) return;
    const { profile, patches, config } = what.session.plan;
    const commands = what.session.nodes.slice(1).map(({ command }) => command);
    keepReport(join(dataFolder, "reports"), { version, behaviour: BEHAVIOUR, method: what.method, why: what.why, profile, patches, config, commands }, nowMs());
  };
  const desk = new SessionDesk({ keeper, saver, supervisor, nowMs, emit, labOf, report });
  const programs = new ProgramDesk({ supervisor, shipped, dataFolder, emit });
  try {
    const shelf = await supervisor.start(found.packs);
    packs = shelf.packs;
    const notices = [...found.bad, ...shelf.bad].map(({ place, sentence: why }): Notice => ({
      id: `pack:${place}`,
      severity: "warning",
      text: say("host.pack.notRead", { place, why }),
    }));
    return new Service({ host, version, keeper, learners, supervisor, desk, programs, packs: () => packs, fidelity, notices, nowMs }, listeners);
  } catch (error) {
    await supervisor.close();
    keeper.close();
    throw error;
  }
}

/** The committed measurement, or a view that says that there is none. */
export function loadFidelity(root: string, version: string): FidelityView {
  const file = join(root, "conformance", "fidelity.json");
  if (!existsSync(file)) return noFidelity(say("host.fidelity.missing", { what: "conformance/fidelity.json" }));
  let content: unknown = null;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // told as a file that is none
  }
  const fidelity = readFidelity(content);
  return fidelity === null ? noFidelity(say("host.fidelity.missing", { what: "conformance/fidelity.json" })) : fidelityView(fidelity, version, sentence);
}
