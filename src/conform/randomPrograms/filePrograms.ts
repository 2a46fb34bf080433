import { findProfile } from "../../kernel/profile/profile.ts";
import { LearnerWorld } from "../../session/learnerWorld.ts";
import { generateScript } from "../generate/generate.ts";
import { operationOf, PROGRAM_MIB, runLine } from "./program.ts";

/** Scripts of shared memory and files as fuzz-kernel writes them: blind, so that much of them is refused, but on every profile. */
export interface FilePrograms {
  readonly seed: number;
  readonly count: number;
  /** of programs below this one every operation is undone and done again */
  readonly undone: number;
  readonly profiles: readonly string[];
}

/** What went wrong in each program that failed. */
export function runFilePrograms(request: FilePrograms): readonly string[] {
  const failures: string[] = [];
  for (let index = 0; index < request.count; index++) {
    const lines: string[] = [];
    try {
      const wrong = runFileProgram(request, index, lines);
      if (wrong !== null) failures.push(`program ${index}: ${wrong}\n${lines.join("\n")}`);
    } catch (error) {
      failures.push(`program ${index}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${lines.join("\n")}`);
    }
  }
  return failures;
}

function runFileProgram({ seed, undone, profiles }: FilePrograms, index: number, lines: string[]): string | null {
  const profile = findProfile(profiles[index % profiles.length]);
  if (profile === undefined) throw new RangeError("no such profile");
  const world = new LearnerWorld({ profile, memoryMiB: PROGRAM_MIB });
  const { machine } = world;
  const script = generateScript({ seed, index, areas: [index % 2 === 0 ? "shmem" : "file"] });
  for (const line of script.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    lines.push(line);
    const operation = operationOf(line);
    const before = index < undone ? { world: world.capture(), hash: machine.hash() } : undefined;
    runLine(world, operation);
    const violations = machine.check();
    if (violations.length > 0) return JSON.stringify(violations);
    if (before === undefined) continue;
    const after = machine.hash();
    world.restore(before.world);
    if (machine.hash() !== before.hash) return "undo of the last line does not lead back";
    runLine(world, operation);
    if (machine.hash() !== after) return "redo of the last line leads elsewhere";
  }
  return null;
}
