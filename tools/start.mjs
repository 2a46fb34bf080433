// `npm start`: opens the app, in Electron where it is there, else in a browser (src/web/start.ts).
import { fileURLToPath } from "node:url";
import { start } from "../src/web/start.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
process.exitCode = await start(root, new URL("../src/host/service/engineWorker.ts", import.meta.url), process.argv.slice(2));
