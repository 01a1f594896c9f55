import { SluiceError } from '../../../contract';
import type { LabDeployment, LabPublish, LabTraffic } from '../../../contract';
import { PublishClient } from '../../../serving';
import type { PublishedDeployment } from '../../../serving';
import type { RemoteEndpoint } from '../../endpoints/remote-endpoint';
import { Mutex } from '../../mutex';
import type { Log } from '../../state-file';
import type { LabApi } from '../connection/lab-api';
import { seenOf, variantsWith } from './deployment-records';
import type { DeploymentRecord, DeploymentRecords } from './deployment-records';
import type { DeviceVariants } from './device-variants';
import { deploymentIn, servedNameOf, tagVersions, withModelFile } from './publish-version';

type Api = Pick<LabApi, 'url' | 'headers'>;

export interface LabDeploymentsParts {
  readonly records: DeploymentRecords;
  readonly endpoints: { all(): readonly RemoteEndpoint[] };
  readonly device: DeviceVariants;
  readonly dataDir: string;
  /** Tells about what nobody waits for. */
  readonly log: Log;
  /** Told after each change. */
  readonly onChange: () => void;
}

const LIST_MS = 5000;

/** What this console's endpoints serve of the lab's registry. */
export class LabDeployments {
  /** Publications that go on. */
  private readonly loading = new Map<string, LabDeployment>();
  private readonly syncing = new Mutex();
  /** Deployments that are being changed here. */
  private readonly changing = new Set<string>();
  /** What could not be caught up with, so that it is not tried with every look. */
  private readonly givenUp = new Set<string>();

  constructor(private readonly parts: LabDeploymentsParts) {}

  /**
   * What the endpoints say; of those that do not answer, what was seen last. What others changed there is caught up with: the
   * device's variant follows.
   */
  async list(api: () => Promise<Api>): Promise<readonly LabDeployment[]> {
    const found = await Promise.all(this.parts.endpoints.all().map((endpoint) => this.at(endpoint, api)));
    const known = found.flat();
    const keys = new Set(known.map(keyOf));
    return [...known, ...[...this.loading.values()].filter((one) => !keys.has(keyOf(one)))];
  }

  /**
   * @throws SluiceError `not-found`, `unsupported` (no ONNX model), `conflict`, `bad-input`, and as the endpoint and the lab
   *   refuse.
   */
  async publish(
    api: Api,
    { model, version, endpointId, sharePct, variant }: LabPublish,
  ): Promise<LabDeployment> {
    const { endpoint, client } = this.endpoint(endpointId);
    const published = await client.list();
    const before = published.find((one) => one.model === model);
    const servedAs = before?.servedAs ?? servedNameOf(model);
    const record = this.parts.records.find(endpoint.known.url, servedAs);
    if (variant && record?.deviceVersion === undefined) this.parts.device.refuseTaken(servedAs);
    const wanted = { model, version, servedAs, sharePct };
    if (!before) this.begin(endpoint, wanted);
    // What answers already may become a variant still, or be known better.
    const answers = variant && sharePct === 100 && before?.stable.version === version ? before : undefined;
    const { dataDir } = this.parts;
    return this.whileChanging({ endpointId, servedAs }, () =>
      withModelFile(api, wanted, dataDir, async (file) => {
        const after =
          answers ?? deploymentIn(await client.publish({ ...wanted, ...file }), servedAs, client.name);
        await this.remember(endpoint, after, { variants: variantsWith(record?.variants, version, variant) });
        await tagVersions(api, endpoint.known.name, before, after);
        await this.sync(api, endpoint, after, { version, path: file.path });
        return this.told(endpoint, after);
      }),
    );
  }

  /** @param sharePct 100: the canary becomes the stable one. @throws SluiceError `not-found`, and as the endpoint refuses. */
  setCanary(api: Api, endpointId: string, servedAs: string, sharePct: number): Promise<LabDeployment> {
    return this.change(api, endpointId, servedAs, (client) => client.setCanary(servedAs, sharePct));
  }

  /** @throws SluiceError `not-found`, and as the endpoint refuses. */
  rollBack(api: Api, endpointId: string, servedAs: string): Promise<LabDeployment> {
    return this.change(api, endpointId, servedAs, (client) => client.rollBack(servedAs));
  }

  /** @throws SluiceError `not-found`, and as the endpoint refuses. */
  async unpublish(api: Api, endpointId: string, servedAs: string): Promise<void> {
    const { endpoint, client } = this.endpoint(endpointId);
    await this.whileChanging({ endpointId, servedAs }, async () => {
      const before = deploymentIn(await client.list(), servedAs, endpoint.known.name);
      await client.remove(servedAs);
      await tagVersions(api, endpoint.known.name, before, undefined);
      await this.syncing.run(() => this.forget(endpoint.known.url, servedAs));
    });
  }

  private async change(
    api: Api,
    endpointId: string,
    servedAs: string,
    work: (client: PublishClient) => Promise<readonly PublishedDeployment[]>,
  ): Promise<LabDeployment> {
    const { endpoint, client } = this.endpoint(endpointId);
    return this.whileChanging({ endpointId, servedAs }, async () => {
      const before = deploymentIn(await client.list(), servedAs, endpoint.known.name);
      const after = deploymentIn(await work(client), servedAs, endpoint.known.name);
      await this.remember(endpoint, after);
      await tagVersions(api, endpoint.known.name, before, after);
      await this.sync(api, endpoint, after);
      return this.told(endpoint, after);
    });
  }

  private async whileChanging<T>(
    deployment: Pick<LabDeployment, 'endpointId' | 'servedAs'>,
    work: () => Promise<T>,
  ): Promise<T> {
    const key = keyOf(deployment);
    this.changing.add(key);
    try {
      return await work();
    } finally {
      this.changing.delete(key);
      this.loading.delete(key);
      this.parts.onChange();
    }
  }

  private async at(endpoint: RemoteEndpoint, api: () => Promise<Api>): Promise<readonly LabDeployment[]> {
    const { records } = this.parts;
    const { url } = endpoint.known;
    try {
      const found = await clientOf(endpoint).list(AbortSignal.timeout(LIST_MS));
      this.catchUp(endpoint, found, api);
      return found.map((deployment) => this.told(endpoint, deployment));
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      const mine = records.list().filter((record) => record.url === url);
      return mine.map((record) => this.lastSeen(endpoint, record, error));
    }
  }

  private catchUp(
    endpoint: RemoteEndpoint,
    found: readonly PublishedDeployment[],
    api: () => Promise<Api>,
  ): void {
    const { url } = endpoint.known;
    for (const record of this.parts.records.list()) {
      const { servedAs } = record;
      const now = found.find((one) => one.servedAs === servedAs);
      if (record.url !== url || this.isCaughtUp(record, now)) continue;
      const key = keyOf({ endpointId: endpoint.id, servedAs });
      const change = JSON.stringify([key, now?.stable.version, record.variants]);
      if (this.changing.has(key) || this.givenUp.has(change)) continue;
      this.changing.add(key);
      const work = now
        ? api().then((lab) => this.sync(lab, endpoint, now))
        : this.syncing.run(() => this.forget(url, servedAs));
      void work
        .then(this.parts.onChange, (thrown: unknown) => {
          this.givenUp.add(change);
          this.parts.log(`The variant of ${servedAs} stays as it is: ${SluiceError.from(thrown).message}`);
        })
        .finally(() => this.changing.delete(key));
    }
  }

  /** Whether the device has what it is to have while that is published. */
  private isCaughtUp(
    { servedAs, variants, deviceVersion }: DeploymentRecord,
    now: PublishedDeployment | undefined,
  ): boolean {
    const wanted = now && variants[now.stable.version];
    if (!wanted) return deviceVersion === undefined;
    return deviceVersion === now.stable.version && this.parts.device.isKnownAs(servedAs, wanted);
  }

  /**
   * The device has the version that answers where that is to be a variant, and else none: a roll-back goes back to what was
   * known of the version before.
   */
  private sync(
    api: Api,
    { known: { url } }: RemoteEndpoint,
    { servedAs, model, stable }: PublishedDeployment,
    fetched?: { readonly version: number; readonly path: string },
  ): Promise<void> {
    const { records, device, dataDir } = this.parts;
    return this.syncing.run(async () => {
      const record = records.find(url, servedAs);
      if (!record) return;
      const { version } = stable;
      const wanted = record.variants[version];
      if (!wanted) {
        if (record.deviceVersion === undefined) return;
        await device.remove(servedAs);
        const { deviceVersion: _gone, ...others } = record;
        records.put(others);
      } else if (
        record.deviceVersion !== version ||
        fetched?.version === version ||
        !device.isKnownAs(servedAs, wanted)
      ) {
        // The command line may have said that it is to be one.
        if (record.deviceVersion === undefined) device.refuseTaken(servedAs);
        const variant = { model: servedAs, ...wanted };
        if (fetched?.version === version) await device.put(fetched.path, variant);
        else {
          await withModelFile(api, { model, version }, dataDir, ({ path }) => device.put(path, variant));
        }
        records.put({ ...record, deviceVersion: version });
      }
      await records.settled();
    });
  }

  private async forget(url: string, servedAs: string): Promise<void> {
    const { records, device } = this.parts;
    if (records.find(url, servedAs)?.deviceVersion !== undefined) await device.remove(servedAs);
    records.remove(url, servedAs);
    await records.settled();
  }

  private async remember(
    { known: { url, name } }: RemoteEndpoint,
    after: PublishedDeployment,
    more: Partial<DeploymentRecord> = {},
  ): Promise<void> {
    const { records } = this.parts;
    const {
      canary: _canary,
      previousVersion: _previous,
      ...known
    } = records.find(url, after.servedAs) ?? { variants: {} };
    records.put({ ...known, url, endpointName: name, ...seenOf(after), ...more });
    await records.settled();
  }

  private begin(
    endpoint: RemoteEndpoint,
    {
      model,
      version,
      servedAs,
      sharePct,
    }: { model: string; version: number; servedAs: string; sharePct: number },
  ): void {
    const shown: LabDeployment = {
      ...namesOf(endpoint),
      model,
      servedAs,
      state: 'loading',
      stable: { version, sharePct, requests: 0, failures: 0 },
    };
    this.loading.set(keyOf(shown), shown);
    this.parts.onChange();
  }

  private told(endpoint: RemoteEndpoint, deployment: PublishedDeployment): LabDeployment {
    const { servedAs, model, stable, canary, previousVersion, problem } = deployment;
    return {
      ...namesOf(endpoint),
      model,
      servedAs,
      state: problem === undefined ? 'ready' : 'failed',
      ...(problem !== undefined && { error: new SluiceError('unavailable', problem).toWire() }),
      stable,
      ...(canary && { canary }),
      ...(previousVersion !== undefined && { previousVersion }),
      ...this.variantOf(endpoint, servedAs),
    };
  }

  private lastSeen(endpoint: RemoteEndpoint, record: DeploymentRecord, error: SluiceError): LabDeployment {
    const { servedAs, model, stable, canary, previousVersion } = record;
    const nothing = { requests: 0, failures: 0 };
    const traffic = (seen: DeploymentRecord['stable']): LabTraffic => ({ ...seen, ...nothing });
    return {
      ...namesOf(endpoint),
      model,
      servedAs,
      state: 'unreachable',
      error: error.toWire(),
      stable: traffic(stable),
      ...(canary && { canary: traffic(canary) }),
      ...(previousVersion !== undefined && { previousVersion }),
      ...this.variantOf(endpoint, servedAs),
    };
  }

  private variantOf({ known: { url } }: RemoteEndpoint, servedAs: string): { readonly variant?: string } {
    const { records, device } = this.parts;
    const isHere = records.find(url, servedAs)?.deviceVersion !== undefined;
    const variant = isHere ? device.idOf(servedAs) : undefined;
    return variant === undefined ? {} : { variant };
  }

  /** @throws SluiceError `not-found`. */
  private endpoint(id: string): { readonly endpoint: RemoteEndpoint; readonly client: PublishClient } {
    const endpoint = this.parts.endpoints.all().find((one) => one.id === id);
    if (endpoint) return { endpoint, client: clientOf(endpoint) };
    throw new SluiceError('not-found', 'That endpoint is gone; add it again.', { id });
  }
}

function clientOf({ known, heldToken }: RemoteEndpoint): PublishClient {
  return new PublishClient({ url: known.url, ...(heldToken !== undefined && { token: heldToken }) });
}

function namesOf({ id, known }: RemoteEndpoint): {
  readonly endpointId: string;
  readonly endpointName: string;
} {
  return { endpointId: id, endpointName: known.name };
}

function keyOf({ endpointId, servedAs }: Pick<LabDeployment, 'endpointId' | 'servedAs'>): string {
  return JSON.stringify([endpointId, servedAs]);
}
