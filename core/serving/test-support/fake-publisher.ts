import type { ModelUpload, PublishedModel, Publisher } from '../server/publisher';

/** Takes every model and serves none; remembers what it was sent. */
export class FakePublisher implements Publisher {
  readonly mostBytes = 1000;
  readonly received: { readonly upload: ModelUpload; readonly bytes: number }[] = [];
  /** Uploads of which something came. */
  begun = 0;
  /** Of the last upload that did not come to its end. */
  fault: unknown;

  list(): readonly PublishedModel[] {
    return [];
  }

  async publish(upload: ModelUpload, body: AsyncIterable<Uint8Array>): Promise<void> {
    let bytes = 0;
    try {
      for await (const chunk of body) {
        if (bytes === 0) this.begun += 1;
        bytes += chunk.byteLength;
      }
    } catch (cause) {
      this.fault = cause;
      throw cause;
    }
    this.received.push({ upload, bytes });
  }

  setCanary(): Promise<void> {
    return Promise.resolve();
  }

  rollBack(): Promise<void> {
    return Promise.resolve();
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }
}
