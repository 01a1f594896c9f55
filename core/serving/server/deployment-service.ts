import { SluiceError } from '../../contract';
import type { PublishedDeployment, VersionTraffic } from '../protocol/deployments';
import type { InferenceService } from './inference-service';
import type { BetweenRequests, ModelUpload, PublishedModel, Publisher } from './publisher';

/** Published models with what their versions have answered. */
export class DeploymentService {
  private readonly between: BetweenRequests;

  constructor(
    private readonly service: InferenceService,
    private readonly publisher: Publisher,
  ) {
    this.between = (work) => service.between(work);
  }

  get mostBytes(): number {
    return this.publisher.mostBytes;
  }

  list(): readonly PublishedDeployment[] {
    return this.publisher.list().map((published) => this.told(published));
  }

  /** @throws SluiceError as `Publisher.publish`. */
  publish(
    upload: ModelUpload,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<readonly PublishedDeployment[]> {
    return this.change(() => this.publisher.publish(upload, body, this.between, signal));
  }

  /** @throws SluiceError as `Publisher.setCanary`. */
  setCanary(servedAs: string, sharePct: number): Promise<readonly PublishedDeployment[]> {
    return this.change(() => this.publisher.setCanary(servedAs, sharePct, this.between));
  }

  /** @throws SluiceError as `Publisher.rollBack`. */
  rollBack(servedAs: string): Promise<readonly PublishedDeployment[]> {
    return this.change(() => this.publisher.rollBack(servedAs, this.between));
  }

  /** @throws SluiceError as `Publisher.remove`. */
  remove(servedAs: string): Promise<readonly PublishedDeployment[]> {
    return this.change(() => this.publisher.remove(servedAs, this.between));
  }

  private async change(work: () => Promise<void>): Promise<readonly PublishedDeployment[]> {
    const before = this.publisher.list().flatMap(versionsOf);
    try {
      await work();
    } finally {
      const after = new Set(this.publisher.list().flatMap(versionsOf).map(keyOf));
      for (const version of before) if (!after.has(keyOf(version))) this.service.forget(version);
    }
    return this.list();
  }

  private told({ servedAs, model, stable, canary, previous }: PublishedModel): PublishedDeployment {
    const problem = this.problemOf(servedAs, stable);
    return {
      servedAs,
      model,
      stable: this.trafficOf(servedAs, stable, 100 - (canary?.sharePct ?? 0)),
      ...(canary && { canary: this.trafficOf(servedAs, canary.version, canary.sharePct) }),
      ...(previous !== undefined && { previousVersion: previous }),
      ...(problem !== undefined && { problem }),
    };
  }

  private trafficOf(servedAs: string, version: number, sharePct: number): VersionTraffic {
    const [stats] = this.service.stats(servedAs, String(version));
    if (!stats) throw new SluiceError('internal', `${servedAs} version ${version} has no statistics.`);
    const { success, fail } = stats.inference_stats;
    return {
      version,
      sharePct,
      requests: success.count + fail.count,
      failures: fail.count,
      ...(stats.latency && { medianMs: stats.latency.median_ms, p95Ms: stats.latency.p95_ms }),
    };
  }

  private problemOf(servedAs: string, version: number): string | undefined {
    const { isReady, reason = 'it is not ready' } = this.service.model(servedAs, String(version));
    return isReady ? undefined : reason;
  }
}

interface Version {
  readonly name: string;
  readonly version: string;
}

function versionsOf({ servedAs, stable, canary, previous }: PublishedModel): readonly Version[] {
  return [stable, canary?.version, previous].flatMap((version) =>
    version === undefined ? [] : [{ name: servedAs, version: String(version) }],
  );
}

function keyOf({ name, version }: Version): string {
  return JSON.stringify([name, version]);
}
