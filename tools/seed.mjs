// The seed of random tests: the same one in every run, so that what CI saw can be seen again; in long runs another each time, which is printed.

const usual = 20261121;

/**
 * @param {NodeJS.ProcessEnv} env HUGELAB_SEED names one; HUGELAB_LONG=1 without it takes a random one
 * @param {() => number} random from 0 to below 1
 * @returns {number} an integer of 32 bits with a sign, as fast-check takes it
 */
export function seedOf(env, random = Math.random) {
  const named = env["HUGELAB_SEED"];
  if (named !== undefined && named !== "") {
    if (!/^-?\d{1,10}$/.test(named) || Number(named) !== (Number(named) | 0)) throw new Error(`HUGELAB_SEED is ${named}: no whole number of 32 bits`);
    return Number(named);
  }
  return env["HUGELAB_LONG"] === "1" ? Math.floor(random() * 2 ** 31) : usual;
}
