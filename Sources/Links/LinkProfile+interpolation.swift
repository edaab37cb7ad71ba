public import Basics

extension LinkProfile {
    /// The profile that far on the straight way from this one to `target`.
    ///
    /// Numbers move linearly: rate, delay, jitter, probabilities, and a queue limit of the same kind. What has no
    /// middle (a trace, a discipline, an infinite rate) stays as it is until progress is 1. A ramp is a host
    /// calling `Link.change(to:at:)` with these, step by step.
    public func interpolated(to target: LinkProfile, progress: Ratio) -> LinkProfile {
        guard progress < .one else { return target }
        var result = self
        if let rate, let targetRate = target.rate {
            result.rate = BitRate(bitsPerSecond: rate.bitsPerSecond.moved(to: targetRate.bitsPerSecond, by: progress))
        }
        result.delay = delay.moved(to: target.delay, by: progress)
        result.jitter = jitter.moved(to: target.jitter, by: progress)
        result.loss = loss.moved(to: target.loss, by: progress)
        result.duplicate = duplicate.moved(to: target.duplicate, by: progress)
        result.reorder = reorder.moved(to: target.reorder, by: progress)
        result.corrupt = corrupt.moved(to: target.corrupt, by: progress)
        result.queue = queue.moved(to: target.queue, by: progress)
        return result
    }
}

extension LossModel {
    fileprivate func moved(to target: LossModel, by progress: Ratio) -> LossModel {
        switch (self, target) {
        case (.none, .none): .none
        case (.gilbertElliott(let p, let r, let lossBad, let lossGood), _):
            switch target {
            case .gilbertElliott(let targetP, let targetR, let targetBad, let targetGood):
                .gilbertElliott(
                    p: p.moved(to: targetP, by: progress), r: r.moved(to: targetR, by: progress),
                    lossBad: lossBad.moved(to: targetBad, by: progress),
                    lossGood: lossGood.moved(to: targetGood, by: progress))
            case .none, .bernoulli:
                moved(to: .gilbertElliott(p: p, r: r, lossBad: target.mean, lossGood: target.mean), by: progress)
            }
        case (_, .gilbertElliott(let p, let r, _, _)):
            // An even loss is a chain whose two states lose alike.
            LossModel.gilbertElliott(p: p, r: r, lossBad: mean, lossGood: mean).moved(to: target, by: progress)
        default: .bernoulli(mean.moved(to: target.mean, by: progress))
        }
    }
}

extension QueueLimit {
    fileprivate func moved(to target: QueueLimit, by progress: Ratio) -> QueueLimit {
        switch (self, target) {
        case (.time(let limit), .time(let other)): .time(limit.moved(to: other, by: progress))
        case (.bytes(let limit), .bytes(let other)): .bytes(limit.moved(to: other, by: progress))
        case (.packets(let limit), .packets(let other)):
            .packets(UInt32(UInt64(limit).moved(to: UInt64(other), by: progress)))
        default: self
        }
    }
}

extension Ratio {
    fileprivate func moved(to target: Ratio, by progress: Ratio) -> Ratio {
        Ratio(fraction + (target.fraction - fraction) * progress.fraction)
    }
}

extension Interval {
    /// Exact up to 100 days; beyond a century an end counts as a century.
    fileprivate func moved(to target: Interval, by progress: Ratio) -> Interval {
        let start = Double(nanoseconds)
        let end = start + (Double(target.nanoseconds) - start) * progress.fraction
        return Interval(nanoseconds: max(-0x1p62, min(0x1p62, end)).nearestInteger)
    }
}

extension UInt64 {
    /// For progress below 1.
    fileprivate func moved(to target: UInt64, by progress: Ratio) -> UInt64 {
        let distance = target > self ? target - self : self - target
        let step = Swift.min(distance, UInt64(Double(distance) * progress.fraction + 0.5))
        return target > self ? self + step : self - step
    }
}
