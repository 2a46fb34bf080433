// `npm run types`: both programs of TypeScript at once. The second knows neither Node nor the DOM, so that using one below host/service is a type error.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} project @returns {Promise<number>} */
function check(project) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["node_modules/typescript/bin/tsc", "-p", project, "--pretty", "false"], {
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

const statuses = await Promise.all(["tsconfig.json", "tsconfig.pure.json"].map(check));
process.exitCode = Math.max(...statuses);
