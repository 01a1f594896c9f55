import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { ServeOptions } from '../serve/serve-library';
import { execute } from './context';
import { bytesOf, countOf, listOf, portOf, ratioOf } from './option-values';

/** `sluice serve`: networks by the Open Inference Protocol v2, language models by OpenAI's API. SIGTERM and Ctrl-C drain and end it. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description(
      'serve networks by the Open Inference Protocol v2 (HTTP and gRPC), language models by the OpenAI API',
    )
    .addOption(
      new Option('--tier <tier>', 'where in the deployment this server stands')
        .choices(['edge', 'cloud'])
        .makeOptionMandatory(),
    )
    .option('--port <n>', 'HTTP port; 0: any free one', portOf, 8000)
    .option('--grpc-port <n>', 'gRPC port; 0: any free one (default: no gRPC)', portOf)
    .option('--host <address>', 'address to listen on; others than loopback need --token-file', '127.0.0.1')
    .option('--token-file <file>', 'file with the bearer token clients must send')
    .option(
      '--deploy-token-file <file>',
      'file with the token that publishing models here takes (default: that of --token-file)',
    )
    .option('--upload-limit <size>', 'largest model that may be published here', bytesOf, 2 ** 31)
    .option('--tls-cert <file>', 'PEM certificate chain')
    .option('--tls-key <file>', 'PEM private key of the certificate')
    .option(
      '--budget <size>',
      'parameter memory of all networks: bytes, 64MiB, or 12% of their weights (default: all)',
    )
    .option(
      '--weights-budget <size>',
      'memory of the weights of each language model; the rest is read from disk for every pass (default: all are loaded)',
      bytesOf,
    )
    .option('--queue <n>', 'requests that may wait, and for each language model', queueOf, 32)
    .option('--models <names>', 'models to serve, by commas (default: the whole library)', listOf)
    .addOption(
      new Option('--kv <cache>', "how language models keep keys and values, as 'sluice generate' has it")
        .choices(['full', 'vericache', 'lossy'])
        .default('full'),
    )
    .option('--compressor <name>', 'for vericache and lossy: how the cache in memory is compressed')
    .option(
      '--ratio <r>',
      'for vericache and lossy: bytes of the full cache over those of the compressed one',
      ratioOf,
    )
    .option(
      '--kv-budget <size>',
      'for vericache and lossy: memory of all caches of a reply, like 64MiB (default: as little as works well)',
      bytesOf,
    )
    .action((options: ServeOptions, command: Command) =>
      execute(command, async (context) => {
        // The other commands need not wait for the server's libraries to load.
        const { serveLibrary } = await import('../serve/serve-library');
        return serveLibrary(context, options);
      }),
    );
}

function queueOf(text: string): number {
  const count = countOf(text);
  if (count <= 100_000) return count;
  throw new InvalidArgumentError('Expected a whole number from 1 to 100000.');
}
