/** Runs asynchronous sections one at a time, in the order asked. */
export class Mutex {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(section: () => Promise<T>): Promise<T> {
    const result = this.last.then(section, section);
    this.last = result;
    return result;
  }
}
