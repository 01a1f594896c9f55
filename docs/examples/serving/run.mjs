// A network served by the Open Inference Protocol v2 and asked by plain HTTP, within a budget.
import { check, sluice, startServer } from '../sluice.mjs';

await sluice('models', 'import', '--example');
const server = await startServer('--tier', 'edge', '--models', 'ppocr-rec', '--budget', '4MiB');
try {
  const model = `${server.url}/v2/models/ppocr-rec`;
  const { inputs, outputs } = await (await fetch(model)).json();
  console.log('inputs', inputs, 'outputs', outputs);

  const shape = inputs[0].shape.map((size, at) => (size > 0 ? size : [1, 3, 48, 96][at]));
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Array.from({ length: count }, (_none, index) => Math.sin(index));
  const answer = await fetch(`${model}/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs: [{ name: inputs[0].name, datatype: 'FP32', shape, data }] }),
  });
  const [scores] = (await answer.json()).outputs;
  check(
    answer.status === 200,
    `it answers with ${scores.name}, ${scores.shape.join(' x ')} of ${scores.datatype}`,
  );

  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  check(/ppocr-rec/.test(metrics), '/metrics counts the request');
} finally {
  await server.stop();
}
