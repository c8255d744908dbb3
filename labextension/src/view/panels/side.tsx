/** A panel at the side, as wide as one drags it. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

const LEAST = 320;

export function Side({ label, name, wide = 430, children }: { label: string; name: string; wide?: number; children: ComponentChildren }): JSX.Element {
  const side = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(wide);
  const [most, setMost] = useState(2000);
  useEffect(() => {
    const room = side.current!.parentElement!;
    const observer = new ResizeObserver(() => setMost(Math.min(room.clientWidth, Math.max(LEAST, room.clientWidth - 160))));
    observer.observe(room);
    return () => observer.disconnect();
  }, []);
  const limited = Math.max(Math.min(LEAST, most), Math.min(most, width));
  const drag = (event: PointerEvent): void => {
    if (event.buttons !== 1) return;
    setWidth(side.current!.getBoundingClientRect().right - event.clientX);
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: 24, ArrowRight: -24 }[event.key];
    if (step === undefined) return;
    setWidth(limited + step);
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={`ipyo-side is-${name}`} role="region" aria-label={label} ref={side} style={{ width: `${limited}px` }}>
      <div
        class="ipyo-grip"
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the panel"
        aria-valuenow={Math.round(limited)}
        aria-valuemin={LEAST}
        aria-valuemax={most}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={key}
      />
      {children}
    </div>
  );
}
