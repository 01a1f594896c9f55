/**
 * Messages of `inference.proto` as `@grpc/proto-loader` gives them with `GRPC_LOADING`: snake-case keys, 64-bit
 * integers as decimal text, every member present, message members null when absent.
 */
export const GRPC_LOADING = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };

export interface NamedVersion {
  readonly name: string;
  readonly version: string;
}

/** Which member holds the value stands in `parameter_choice`. */
export type GrpcParameters = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Elements of a tensor, in the member of its datatype; the other members are empty. */
export interface GrpcTensorContents {
  readonly bool_contents: readonly boolean[];
  readonly int_contents: readonly number[];
  readonly int64_contents: readonly string[];
  readonly uint_contents: readonly number[];
  readonly uint64_contents: readonly string[];
  readonly fp32_contents: readonly number[];
  readonly fp64_contents: readonly number[];
  readonly bytes_contents: readonly Uint8Array[];
}

export interface GrpcInputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly string[];
  readonly parameters: GrpcParameters;
  readonly contents: GrpcTensorContents | null;
}

export interface ModelInferRequest {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly parameters: GrpcParameters;
  readonly inputs: readonly GrpcInputTensor[];
  readonly outputs: readonly { readonly name: string; readonly parameters: GrpcParameters }[];
  readonly raw_input_contents: readonly Uint8Array[];
}

export interface RepositoryIndexRequest {
  readonly ready: boolean;
}

export interface RepositoryModelRequest {
  readonly model_name: string;
  readonly parameters: GrpcParameters;
}
