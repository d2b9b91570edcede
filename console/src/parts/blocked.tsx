/** Why an execution does not go on, and what can be done about it. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Blocked } from '../../../machines/execution.ts';
import { api, isShutOut, messageOf } from '../state.ts';
import { Card, Mistake, Since } from './bits.tsx';

/** `children`: the other thing that can be done, which is to end it. */
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
    <p>The code that is served does not do what this run has done before. It goes on when code is served that does.</p>
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
    <p class="hint">A retry takes the newest version, if its own is not served.</p>
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
