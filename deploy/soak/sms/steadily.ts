const TICK_MS = 20;

/** Does it so often a second, in small handfuls, and makes up for what came late; until what it returns is called. */
export function steadily(per_second: number, act: () => void): () => void {
  const began_ms = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began_ms) * per_second) / 1000);
    for (; done < due; done += 1) act();
  }, TICK_MS);
  return () => clearInterval(timer);
}
