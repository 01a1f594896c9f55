import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { JSON_LENGTH_HEADER, readFrame, readTensors, writeFrame } from '../protocol/frame';
import {
  anyObjectSchema,
  inferRequestSchema,
  parseMessage,
  repositoryIndexRequestSchema,
} from '../protocol/schemas';
import type { IncomingRequest } from './check-request';
import { refuseUnsupported } from './unsupported-parameters';
import type { InferenceReply, InferenceService } from './inference-service';
import type { ServedModel } from './served-models';
import { signalOf } from './signal-of';

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

type ModelRequest = FastifyRequest<{ readonly Params: ModelParams }>;

/** Open to everybody, as probes of load balancers carry no token; they tell nothing but the state. */
export function addHealthRoutes(app: FastifyInstance, service: InferenceService): void {
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', (_request, reply) =>
    reply.code(service.isReady ? 200 : 503).send({ ready: service.isReady }),
  );
}

/** Metadata, the repository, statistics and metrics. */
export function addModelRoutes(app: FastifyInstance, service: InferenceService): void {
  app.get('/v2', () => ({ ...service.metadata, tier: service.tier }));
  for (const model of modelPaths()) {
    app.get(model, ({ params }: ModelRequest) => metadataJson(service, ...named(params)));
    app.get(`${model}/ready`, ({ params }: ModelRequest, reply: FastifyReply) => {
      const ready = service.isModelReady(...named(params));
      return reply.code(ready ? 200 : 503).send({ ready });
    });
    app.get(`${model}/stats`, ({ params }: ModelRequest) => statsJson(service, ...named(params)));
  }
  app.get('/v2/models/stats', () => statsJson(service, '', ''));
  app.post('/v2/repository/index', ({ body }) => {
    const { ready } = parseMessage('The index request', repositoryIndexRequestSchema, jsonOf(body));
    return service
      .models()
      .filter(({ isReady }) => isReady || !ready)
      .map(indexEntry);
  });
  app.post('/v2/repository/models/:model/load', async ({ params, body }: ModelRequest) => {
    refuseUnsupported(parametersOf('The load request', body));
    await service.load(params.model);
    return {};
  });
  app.post('/v2/repository/models/:model/unload', async ({ params, body }: ModelRequest) => {
    parametersOf('The unload request', body);
    await service.unload(params.model);
    return {};
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await service.metrics.text();
    return reply.header('content-type', service.metrics.contentType).send(text);
  });
}

/** Inference; a full queue refuses before the body is read. */
export function addInferenceRoutes(app: FastifyInstance, service: InferenceService): void {
  for (const model of modelPaths()) {
    app.post(`${model}/infer`, {
      onRequest: async () => service.checkRoom(),
      handler: async ({ params, body, headers }: ModelRequest, reply: FastifyReply) => {
        const request = readRequest(body, headers[JSON_LENGTH_HEADER]);
        const answer = await service.infer(...named(params), request, signalOf(reply));
        return sendAnswer(reply, request, answer);
      },
    });
  }
}

function modelPaths(): readonly string[] {
  return ['/v2/models/:model', '/v2/models/:model/versions/:version'];
}

function named({ model, version = '' }: ModelParams): [name: string, version: string] {
  return [model, version];
}

interface HttpRequest extends IncomingRequest {
  readonly id: string;
  readonly isBinary: (output: string) => boolean;
}

function readRequest(body: unknown, jsonLength: string | readonly string[] | undefined): HttpRequest {
  const frame = readFrame('The request', bytesOf(body), jsonLength?.toString());
  const { id, inputs, outputs, parameters } = parseMessage(
    'The inference request',
    inferRequestSchema,
    frame.json,
  );
  refuseUnsupported(parameters);
  for (const output of outputs ?? []) refuseUnsupported(output.parameters);
  const { tensors, faults } = readTensors(inputs, frame.tail);
  const binaryByDefault = parameters['binary_data_output'] === true;
  const binary = new Map(outputs?.map((output) => [output.name, output.parameters['binary_data']]));
  return {
    id,
    inputs: tensors,
    faults,
    // An empty list asks for all, as an absent one does.
    ...(outputs !== undefined && outputs.length > 0 && { outputs: outputs.map(({ name }) => name) }),
    isBinary: (output) => {
      const chosen = binary.get(output);
      return typeof chosen === 'boolean' ? chosen : binaryByDefault;
    },
  };
}

function sendAnswer(reply: FastifyReply, request: HttpRequest, answer: InferenceReply): FastifyReply {
  const { model, outputs, queueMs, computeMs } = answer;
  const members = { model_name: model.name, model_version: model.version, id: request.id };
  const { body, jsonBytes } = writeFrame(members, 'outputs', outputs, request.isBinary);
  void reply.header('server-timing', `queue;dur=${queueMs.toFixed(3)}, compute;dur=${computeMs.toFixed(3)}`);
  if (jsonBytes === undefined) return reply.header('content-type', 'application/json').send(body);
  return reply
    .header('content-type', 'application/octet-stream')
    .header(JSON_LENGTH_HEADER, jsonBytes)
    .send(body);
}

function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0);
}

/** An absent body is an empty object. */
function jsonOf(body: unknown): unknown {
  const bytes = bytesOf(body);
  return bytes.byteLength === 0 ? {} : readFrame('The request', bytes, undefined).json;
}

function parametersOf(what: string, body: unknown): Readonly<Record<string, unknown>> {
  const { parameters = {} } = parseMessage(what, anyObjectSchema, jsonOf(body));
  return parseMessage(what, anyObjectSchema, parameters);
}

function metadataJson(service: InferenceService, modelName: string, asked: string): object {
  const { name, platform, inputs, outputs } = service.model(modelName, asked);
  return {
    name,
    versions: service.versions(modelName).map(({ version }) => version),
    platform,
    inputs,
    outputs,
  };
}

function indexEntry({ name, version, isReady, reason = '' }: ServedModel): object {
  return { name, version, state: isReady ? 'READY' : 'UNAVAILABLE', reason };
}

function statsJson(service: InferenceService, name: string, version: string): object {
  const { waiting, isBusy, capacity } = service.queueState;
  const queue = { waiting, running: isBusy ? 1 : 0, capacity };
  return { model_stats: service.stats(name, version), tier: service.tier, queue };
}
