/** Why an execution is blocked, and the possible actions. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Blocked } from '../../../machines/execution.ts';
import { api, isShutOut, messageOf } from '../state.ts';
import { Card, Mistake, Since } from './bits.tsx';

/** `children`: the other action, which ends the execution. */
export const BlockedCard = ({
  id,
  blocked: { expected, came, version, since },
  children,
}: {
  id: string;
  blocked: Blocked;
  children: ComponentChildren;
}) => (
  <Card title="Blocked" class="failure">
    <p>
      The served code does not make the calls in the journal of this run. The run continues when matching code is
      served.
    </p>
    <dl class="why">
      <dt>Expected</dt>
      <dd>{expected}</dd>
      <dt>Came</dt>
      <dd>{came}</dd>
      <dt>Version</dt>
      <dd>{version}</dd>
      <dt>For</dt>
      <dd>
        <Since at={since} />
      </dd>
    </dl>
    <p class="hint">A retry uses the newest version if its own is not served.</p>
    <div class="cancel">
      <Retry id={id} />
      {children}
    </div>
  </Card>
);

const Retry = ({ id }: { id: string }) => {
  const [state, setState] = useState<{ isBusy: boolean; mistake?: string }>({ isBusy: false });
  const retry = async (): Promise<void> => {
    setState({ isBusy: true });
    try {
      await api.retry(id);
      setState({ isBusy: false });
    } catch (error) {
      setState(isShutOut(error) ? { isBusy: false } : { isBusy: false, mistake: messageOf(error) });
    }
  };
  return (
    <>
      <button type="button" class="primary" disabled={state.isBusy} onClick={() => void retry()}>
        Retry
      </button>
      <Mistake text={state.mistake} />
    </>
  );
};
