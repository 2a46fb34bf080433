/** Frames in a chunk: as many as in a column of the store. */
const SHIFT = 12;
const MASK = (1 << SHIFT) - 1;

/** A number for each frame, 0 where nothing was noted. Kept from one check to the next, so that a check allocates little. */
export class FrameNumbers {
  private readonly chunks: (Int32Array | undefined)[] = [];
  /** chunks of zeros that were used before */
  private readonly spare: Int32Array[] = [];

  get(pfn: number): number {
    const chunk = this.chunks[pfn >>> SHIFT];
    return chunk === undefined ? 0 : chunk[pfn & MASK];
  }

  set(pfn: number, value: number): void {
    this.chunk(pfn >>> SHIFT)[pfn & MASK] = value;
  }

  add(pfn: number, delta: number): void {
    this.chunk(pfn >>> SHIFT)[pfn & MASK] += delta;
  }

  clear(): void {
    for (let c = 0; c < this.chunks.length; c++) {
      const chunk = this.chunks[c];
      if (chunk === undefined) continue;
      chunk.fill(0);
      this.spare.push(chunk);
      this.chunks[c] = undefined;
    }
  }

  private chunk(c: number): Int32Array {
    const found = this.chunks[c];
    if (found !== undefined) return found;
    while (this.chunks.length < c) this.chunks.push(undefined);
    const fresh = this.spare.pop() ?? new Int32Array(1 << SHIFT);
    this.chunks[c] = fresh;
    return fresh;
  }
}
