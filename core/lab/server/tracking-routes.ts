import type { TrackingStore } from '../tracking/tracking-store';
import { experimentRoutes } from './experiment-routes';
import type { LabRoutes } from './lab-server';
import { loggedModelRoutes } from './logged-model-routes';
import { metricRoutes } from './metric-routes';
import { runRoutes } from './run-routes';

/** The version of MLflow's server whose tracking operations these are: newer clients send traces to newer ones. */
const SPOKEN_VERSION = '2.22.0';
const SERVER_INFO = {
  store_type: 'SqlStore',
  workspaces_enabled: false,
  trace_archival_enabled: false,
  multipart_uploads_enabled: false,
  multipart_downloads_enabled: false,
};

/** What MLflow's tracking clients speak, artifacts and the model registry left out. */
export function trackingRoutes(store: TrackingStore): LabRoutes {
  const areas = [
    experimentRoutes(store.experiments),
    runRoutes(store),
    metricRoutes(store),
    loggedModelRoutes(store.models),
  ];
  return (app) => {
    app.get('/version', (_request, reply) => reply.type('text/plain').send(SPOKEN_VERSION));
    app.get('/api/3.0/mlflow/server-info', () => SERVER_INFO);
    for (const add of areas) add(app);
  };
}
