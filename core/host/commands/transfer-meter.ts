import { formatBytes, type Clock } from '../../base';

/** The rate is that of the last so many milliseconds. */
const WINDOW_MS = 5000;
const SAMPLE_MS = 200;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** How fast bytes come, and how long the rest will take. */
export class TransferMeter {
  private samples: Sample[] = [];
  private latest: Sample | undefined;

  constructor(private readonly clock: Pick<Clock, 'nowMs'>) {}

  /** Notes how far it is. Fewer bytes than before: it began anew. */
  update(doneBytes: number): void {
    const atMs = this.clock.nowMs();
    if (this.latest && doneBytes < this.latest.bytes) this.samples = [];
    this.latest = { atMs, bytes: doneBytes };
    const last = this.samples.at(-1);
    if (last && atMs - last.atMs < SAMPLE_MS) return;
    this.samples.push(this.latest);
    while (this.samples.length > 2 && atMs - this.samples[1]!.atMs > WINDOW_MS) this.samples.shift();
  }

  /** undefined until it has been watched for a moment. */
  get bytesPerSec(): number | undefined {
    const { latest } = this;
    const [first] = this.samples;
    if (!first || !latest || latest.atMs - first.atMs < SAMPLE_MS) return undefined;
    return ((latest.bytes - first.bytes) / (latest.atMs - first.atMs)) * 1000;
  }

  /** `42%, 1.2 GiB of 2.9 GiB, 21 MiB/s, 1 min 22 s left`. */
  text(doneBytes: number, totalBytes: number): string {
    const share = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
    const rate = this.bytesPerSec;
    const sizes = `${share}%, ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
    if (rate === undefined || doneBytes >= totalBytes) return sizes;
    const left = rate > 0 ? `, ${timeText((totalBytes - doneBytes) / rate)} left` : '';
    return `${sizes}, ${formatBytes(rate)}/s${left}`;
  }
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
