import { useEffect, useState } from 'react';

const EVERY_MS = 10_000;

/** The time of day, in milliseconds since the epoch, for what is so long ago or so long off. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
