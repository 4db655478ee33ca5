/**
 * Calls back once an answer has not come for so long. What has arrived by then is heard first: sockets are read after timers, so where
 * this process itself stood still the answer may be there, unread.
 * @returns ends the wait.
 */
export function patience(ms: number, onSilence: () => void): () => void {
  let judging: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    judging = setImmediate(onSilence);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(judging);
  };
}
