// `npm start`: opens the app. There is none yet, so it says so and opens the terminal.
import { main } from "../src/cli/main.ts";

process.stderr.write("The app comes with a later release; this is Hugelab's terminal (the same as `bin/hugelab shell`).\n");
process.exitCode = await main(["shell", ...process.argv.slice(2)]);
