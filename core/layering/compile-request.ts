import type { ExecutionProvider } from '../contract';

/** What is compiled, and for what. */
export interface CompileRequest {
  readonly sourcePath: string;
  /** Folder the store appears at, whole or not at all. Must not exist. */
  readonly storePath: string;
  readonly provider: ExecutionProvider;
  /** Threads runs will have; decides how finely matrix products may be tiled. */
  readonly threads: number;
}
