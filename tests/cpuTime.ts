/**
 * Milliseconds of CPU that this thread spends in `run`. For bars that only another order of growth is to break: they stand an order of
 * magnitude above what it takes, and neither a busy machine nor a stall counts.
 */
export function cpuMilliseconds(run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
