import { SluiceError } from '../contract';
import { BERT_BASE } from './bert';
import { DENSENET_201 } from './densenet';
import { MOBILENETS, QUANTIZED_MOBILENETS } from './mobilenet';
import { RESNET_152 } from './resnet';
import { TINY_IF } from './tiny-control-flow';
import {
  TINY_CNN,
  TINY_DYNAMIC,
  TINY_FP16,
  TINY_MLP,
  TINY_SHARED,
  TINY_TRANSFORMER,
  TINY_WEIGHTLESS,
} from './tiny-feedforward';
import { TINY_INT8 } from './tiny-quantized';
import { VGG_16 } from './vgg';
import { VIT_B_16 } from './vit';
import { YOLO_V4 } from './yolo';
import type { ZooNetwork } from './zoo-network';

/** Every reference network: the published ones, then the small ones for tests. */
export const ZOO: readonly ZooNetwork[] = [
  VGG_16,
  RESNET_152,
  DENSENET_201,
  ...MOBILENETS,
  ...QUANTIZED_MOBILENETS,
  YOLO_V4,
  VIT_B_16,
  BERT_BASE,
  TINY_CNN,
  TINY_MLP,
  TINY_TRANSFORMER,
  TINY_IF,
  TINY_SHARED,
  TINY_DYNAMIC,
  TINY_FP16,
  TINY_INT8,
  TINY_WEIGHTLESS,
];

/** @throws SluiceError `not-found`, naming the networks there are. */
export function zooNetwork(id: string): ZooNetwork {
  const network = ZOO.find((candidate) => candidate.id === id);
  if (network) return network;
  const ids = ZOO.map((candidate) => candidate.id);
  throw new SluiceError('not-found', `No reference network is called "${id}"; there are ${ids.join(', ')}.`, {
    id,
    known: ids,
  });
}
