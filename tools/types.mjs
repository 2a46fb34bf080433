// `npm run types`: all programs of TypeScript at once. The second knows neither Node nor the DOM, so that using one below host/service is a type error;
// the third is the renderer, with its components.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string[]} command @returns {Promise<number>} */
function check(command) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.on("error", () => {
      resolve(1);
    });
    child.on("exit", (status) => {
      resolve(status ?? 1);
    });
  });
}

const programs = ["tsconfig.json", "tsconfig.pure.json", "e2e/tsconfig.json"].map((project) => [
  "node_modules/typescript/bin/tsc",
  "-p",
  project,
  "--pretty",
  "false",
]);
const components = ["node_modules/svelte-check/bin/svelte-check", "--tsconfig", "src/renderer/tsconfig.json", "--output", "human", "--fail-on-warnings"];
const statuses = await Promise.all([...programs, components].map(check));
process.exitCode = Math.max(...statuses);
